"""What a homeserver asks of its application service (Matrix, Application Service API): transactions and whether users exist.

Who does not know the token is not read: a body has room only when the request has been told to come from the homeserver.
"""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from hmac import compare_digest
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from mailnode.gateways.api import Refused

MOST_BODY = 16 * 1024 * 1024
"""Octets of a transaction; a hundred events of the greatest size are less."""
PATIENCE = 60.0
"""Seconds for which a connection may be idle."""
_PREFIX = "/_matrix/app/v1/"

Reply = tuple[int, dict[str, Any]]
OK: Reply = (200, {})


def fault(status: int, errcode: str, text: str) -> Reply:
    """Write an error as Matrix does."""
    return status, {"errcode": errcode, "error": text}


class _Bounded(BytesIO):
    """Keeps no more than it may."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.is_full = most, False

    def write(self, octets: Any) -> int:
        """Keep what there is room for."""
        room = max(0, self.most - self.tell())
        self.is_full = self.is_full or len(octets) > room
        super().write(octets[:room])
        return len(octets)


class BoundedRequest(Request):
    """A request whose body cannot fill memory or disk."""

    def gotLength(self, _: int | None) -> None:
        """Make room for the body, if it may be read at all."""
        channel: Any = self.channel
        door: Door = channel.site.resource
        self.content = _Bounded(MOST_BODY if door.is_homeserver(self) else 0)


class _Quiet(Site):
    """Writes no access log: older homeservers put the token into the URL."""

    def log(self, request: object) -> None:
        """Write nothing."""


@define(slots=False, eq=False)
class Door(Resource):
    """Everything below ``/_matrix/app/v1/``."""

    isLeaf = True
    token: str = field(repr=False)
    take: Callable[[str, list[Any]], Awaitable[None]]
    """Takes a transaction: its id and events."""
    has_user: Callable[[str], Awaitable[bool]]
    log: Logger
    running: set[Deferred[None]] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Be a resource."""
        Resource.__init__(self)

    def site(self, clock: Any) -> Site:
        """Make the server's factory; its time limits are measured by ``clock``, a reactor."""
        site = _Quiet(self, requestFactory=BoundedRequest, timeout=PATIENCE, reactor=clock)
        site.displayTracebacks = False
        return site

    def is_homeserver(self, request: Request) -> bool:
        """Tell whether it knows the token; the query is where older homeservers put it."""
        given = request.getHeader("authorization") or ""
        found = given.removeprefix("Bearer ") if given.startswith("Bearer ") else ""
        if not found:
            found = _query(request).get("access_token", "")
        return compare_digest(found.encode("utf-8", "replace"), self.token.encode())

    def render(self, request: Request) -> int:
        """Answer."""
        running = Deferred.fromCoroutine(self._answer(request))
        self.running.add(running)
        running.addErrback(self._failed)
        running.addBoth(lambda _: self.running.discard(running))
        return NOT_DONE_YET

    def _failed(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.log.failure("a request of the homeserver failed", failure)

    async def _answer(self, request: Request) -> None:
        gone: list[Failure] = []
        finish: Deferred[Any] = request.notifyFinish()
        finish.addErrback(partial(_note, gone))
        try:
            status, said = await self._reply(request)
        except CancelledError:
            raise
        except Refused as refused:
            status, said = fault(503, "M_UNKNOWN", str(refused.reply))
        except Exception:  # noqa: BLE001 - the homeserver comes again
            self.log.failure("a request of the homeserver failed")
            status, said = fault(500, "M_UNKNOWN", "it will be well later")
        if gone:
            return
        request.setResponseCode(status)
        request.setHeader("Content-Type", "application/json")
        request.write(json.dumps(said).encode())
        request.finish()

    async def _reply(self, request: Request) -> Reply:
        if not self.is_homeserver(request):
            return fault(403, "M_FORBIDDEN", "this is not our homeserver")
        path = request.path.decode("ascii", "replace")
        if not path.startswith(_PREFIX):
            return fault(404, "M_UNRECOGNIZED", "there is no such path")
        kind, _, rest = path.removeprefix(_PREFIX).partition("/")
        method = request.method.decode("ascii", "replace")
        ask = _REPLIES.get((method, kind))
        if ask is None:
            is_known = any(kind == one for _, one in _REPLIES)
            return fault(405 if is_known else 404, "M_UNRECOGNIZED", "there is nothing of that kind")
        return await ask(self, unquote(rest), request)

    async def _transaction(self, txn_id: str, request: Request) -> Reply:
        content: Any = request.content
        if content.is_full:
            return fault(413, "M_TOO_LARGE", "a transaction is smaller")
        content.seek(0)
        try:
            said = json.loads(content.read())
        except (ValueError, RecursionError):
            return fault(400, "M_NOT_JSON", "this is no JSON")
        events = said.get("events") if isinstance(said, dict) else None
        if not txn_id or not isinstance(events, list):
            return fault(400, "M_BAD_JSON", "a transaction has an id and events")
        await self.take(txn_id, events)
        return OK

    async def _user(self, user: str, _: Request) -> Reply:
        return OK if await self.has_user(user) else fault(404, "M_NOT_FOUND", "there is no such user")

    async def _alias(self, _: str, __: Request) -> Reply:
        return fault(404, "M_NOT_FOUND", "we have no rooms")

    async def _ping(self, _: str, __: Request) -> Reply:
        return OK


def _note(gone: list[Failure], why: Failure) -> None:
    gone.append(why)


def _query(request: Request) -> dict[str, str]:
    """Read the query before twisted.web does: its body may not have come yet."""
    text = request.uri.decode("ascii", "replace").partition("?")[2]
    return dict(parse_qsl(text, max_num_fields=20)) if len(text) < 4000 else {}


_REPLIES: dict[tuple[str, str], Callable[[Door, str, Request], Awaitable[Reply]]] = {
    ("PUT", "transactions"): Door._transaction,  # noqa: SLF001 - the table of its own methods
    ("GET", "users"): Door._user,  # noqa: SLF001
    ("GET", "rooms"): Door._alias,  # noqa: SLF001
    ("POST", "ping"): Door._ping,  # noqa: SLF001
}
