"""HTTP for gateways: one small seam, so that the kit can play the other side; ``treq`` is behind it and loaded late."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from mailnode.gateways.outcomes import Delayed, Trouble

MOST_BODY = 256 * 1024
"""Octets of an answer that are read; a longer one is cut."""


@frozen
class HttpResponse:
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)
    """Names in lower case; of fields that stand more than once, the first."""
    reason: str = ""

    @property
    def text(self) -> str:
        """Give the body as text."""
        return self.body.decode("utf-8", "replace")


class HttpClient(Protocol):
    """Sends requests."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 60.0,  # noqa: ASYNC109 - treq's own, and it ends the connection
    ) -> HttpResponse:
        """Send one request and read the answer, at most ``MOST_BODY`` octets of it; redirects are not followed.

        Certificates are verified as browsers do. The header and the body of the answer may take ``timeout`` seconds each.
        Raises what ``trouble.GENERAL`` knows when there is no answer.
        """
        ...


@define
class TreqClient:
    """The HttpClient of a running node: one pool of connections for each gateway."""

    reactor: Any
    _client: Any = None
    _pool: Any = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 60.0,  # noqa: ASYNC109 - treq's own, and it ends the connection
    ) -> HttpResponse:
        """Send one request."""
        client = self._made()
        try:
            response = await client.request(
                method, url, headers=dict(headers or {}), data=body, timeout=timeout, allow_redirects=False,
                unbuffered=True,
            )  # fmt: skip
        except Exception as error:
            raise _reachable(error) from error
        kept = _Body()
        kept.done.addTimeout(timeout, self.reactor)
        response.deliverBody(kept)
        octets = await kept.done
        fields = {
            name.decode("latin-1").lower(): values[0].decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        return HttpResponse(response.code, octets, fields, response.phrase.decode("latin-1"))

    async def close(self) -> None:
        """Close the connections that are kept."""
        pool, self._pool, self._client = self._pool, None, None
        if pool is not None:
            await pool.closeCachedConnections()

    def _made(self) -> Any:
        if self._client is None:
            try:
                import treq.client  # noqa: PLC0415 - seldom used and heavy
            except ImportError:
                raise Trouble(Delayed("HTTP needs treq: pip install 'mailnode[gateways]'", "4.3.5")) from None
            from twisted.web.client import Agent, HTTPConnectionPool  # noqa: PLC0415

            self._pool = HTTPConnectionPool(self.reactor, persistent=True)
            self._client = treq.client.HTTPClient(Agent(self.reactor, connectTimeout=30, pool=self._pool))
        return self._client


class _Body(Connection):
    """Reads the answer as far as it is kept; a server that sends more, or takes too long, is hung up on."""

    def __init__(self) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _: self._hang_up())
        self._kept = bytearray()

    def dataReceived(self, data: bytes) -> None:
        """Keep what there is room for."""
        self._kept += data[: MOST_BODY - len(self._kept)]
        if len(self._kept) >= MOST_BODY and not self.done.called:
            self.done.callback(bytes(self._kept))
            self._hang_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hear that the body has ended, or broken off."""
        from twisted.web.client import ResponseDone  # noqa: PLC0415 - heavy
        from twisted.web.http import PotentialDataLoss  # noqa: PLC0415

        if self.done.called:
            return
        # Without a length the end of the connection is the end of the body (RFC 9112 section 6.3).
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(bytes(self._kept))
        else:
            self.done.errback(_reachable(reason.value))  # type: ignore[arg-type]  # no other exceptions come here

    def _hang_up(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            # What stands before the transport knows only loseConnection, which within TLS waits for the server.
            end = getattr(getattr(transport, "_producer", None), "abortConnection", transport.loseConnection)
            end()


def _reachable(error: Exception) -> Exception:
    """Give the reason inside: Twisted wraps what happened to the connection."""
    reasons: Sequence[Any] = getattr(error, "reasons", None) or ()
    inner = getattr(reasons[0], "value", None) if reasons else None
    found = inner if isinstance(inner, Exception) else error
    if type(found).__module__.partition(".")[0] in ("OpenSSL", "service_identity"):  # by name: both are heavy
        return Trouble(Delayed(f"TLS: {_words(found)}", "4.7.5", is_unreachable=True))
    return found


def _words(error: Exception) -> str:
    """Say what TLS complains of: a certificate nobody knows, a name that is not in it, a version too old."""
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    said = [str(one[-1]) for one in reasons if isinstance(one, tuple) and one]
    return ", ".join(said) or f"the certificate is not that of this host ({type(error).__name__})"
