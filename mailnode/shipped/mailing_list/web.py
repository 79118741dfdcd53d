"""The one-click endpoint (RFC 8058): POST leaves the list, GET only shows a button, for mail scanners follow links.

The answer is the same whether somebody was a member or not; what is not signed by us is 404. TLS is done by the web server in
front, or by an ``ssl:`` endpoint.
"""

from io import BytesIO
from typing import Any

from attrs import Factory, define
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import serverFromString
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from mailnode.shipped.mailing_list.mailing import Mailing
from mailnode.shipped.mailing_list.texts import ASK, PAGE

MOST_BODY = 16 * 1024
"""Octets of a request's body; more are read past."""
PATIENCE = 30.0
"""Seconds for which a connection may be idle."""


class _Bounded(BytesIO):
    """Keeps no more than it may."""

    def write(self, octets: Any) -> int:
        """Keep what there is room for."""
        room = MOST_BODY - self.tell()
        super().write(octets[: max(0, room)])
        return len(octets)


class BoundedRequest(Request):
    """A request whose body cannot fill memory or disk."""

    def gotLength(self, _: int | None) -> None:
        """Make room for the body."""
        self.content = _Bounded()


@define(slots=False, eq=False)
class OneClick(Resource):
    """Everything below ``/unsubscribe/LIST/TOKEN``."""

    isLeaf = True
    mailings: dict[str, Mailing]
    running: set[Deferred[Any]] = Factory(set)

    def __attrs_post_init__(self) -> None:
        """Be a resource."""
        Resource.__init__(self)

    def render_GET(self, request: Request) -> bytes:
        """Show a button."""
        found = self._found(request)
        return _page(request, "Unsubscribe?", ASK) if found else _page(request, "Not found", "", 404)

    def render_POST(self, request: Request) -> bytes | int:
        """Let the member go who is named by the address; the body says nothing that it does not."""
        found = self._found(request)
        if found is None:
            return _page(request, "Not found", "", 404)
        leaving = Deferred.fromCoroutine(self._leave(*found, request))
        self.running.add(leaving)
        leaving.addBoth(lambda _: self.running.discard(leaving))
        return NOT_DONE_YET

    async def _leave(self, mailing: Mailing, number: int, request: Request) -> None:
        gone = request.notifyFinish()
        gone.addErrback(lambda _: None)
        try:
            await mailing.store.leave(mailing.name, number)
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - the client is told to try again
            mailing.node.log.failure("list {list}: nobody can leave", list=mailing.name)
            page = _page(request, "Please try again later", "", 503)
        else:
            page = _page(request, "You get no more mail of this list", "")
        if not request._disconnected:  # noqa: SLF001 - nothing public tells it
            request.write(page)
            request.finish()

    def _found(self, request: Request) -> tuple[Mailing, int] | None:
        """Read the path."""
        path = [piece.decode("ascii", "replace") for piece in request.path.split(b"/") if piece]
        if len(path) < 3 or path[-3] != "unsubscribe" or path[-2] not in self.mailings:
            return None
        mailing = self.mailings[path[-2]]
        number = mailing.tickets.member("unsubscribe", path[-1][:64])
        return None if number is None else (mailing, number)


class _Silent(Site):
    """A site without a log: tokens stand in its paths."""

    def log(self, request: Any) -> None:
        """Say nothing."""


def _page(request: Request, title: str, body: str, code: int = 200) -> bytes:
    request.setResponseCode(code)
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    request.setHeader("Cache-Control", "no-store")
    request.setHeader("Content-Security-Policy", "default-src 'none'; form-action 'self'")
    request.setHeader("Referrer-Policy", "no-referrer")
    return PAGE.format(title=title, body=body).encode()


def service(reactor: Any, endpoint: str, mailings: dict[str, Mailing]) -> IService:
    """Make the service that listens."""
    site = _Silent(OneClick(mailings), requestFactory=BoundedRequest, timeout=PATIENCE, reactor=reactor)
    site.displayTracebacks = False
    made: IService = StreamServerEndpointService(serverFromString(reactor, endpoint), site)
    return made
