"""HTTP for gateways: one small seam, so that the kit can play the other side; ``treq`` is behind it and loaded late."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field, frozen

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
        kept = await _body(response)
        fields = {
            name.decode("latin-1").lower(): values[0].decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        return HttpResponse(response.code, kept, fields, response.phrase.decode("latin-1"))

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


async def _body(response: Any) -> bytes:
    """Read the answer as far as it is kept."""
    from treq import collect  # noqa: PLC0415

    pieces: list[bytes] = []

    def keep(octets: bytes) -> None:
        left = MOST_BODY - sum(map(len, pieces))
        if left > 0:
            pieces.append(octets[:left])

    await collect(response, keep)
    return b"".join(pieces)


def _reachable(error: Exception) -> Exception:
    """Give the reason inside: Twisted wraps what happened to the connection."""
    reasons: Sequence[Any] = getattr(error, "reasons", None) or ()
    inner = getattr(reasons[0], "value", None) if reasons else None
    return inner if isinstance(inner, Exception) else error
