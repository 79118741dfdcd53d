"""Questions over HTTP to the issuer of tokens: bounded in time and in size, and nothing but 200 is an answer."""

from base64 import b64encode
from io import BytesIO
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from mailnode.interfaces import CredentialsTrouble

LARGEST = 1 << 20
"""Octets of an answer that are read at most."""


class Web:
    """Asks over HTTP; each question has ``timeout`` seconds."""

    def __init__(self, reactor: Any, timeout: float) -> None:
        self._reactor = reactor
        self._timeout = timeout
        self._agent = Agent(reactor, connectTimeout=timeout, pool=HTTPConnectionPool(reactor, persistent=False))

    async def get(self, url: str) -> bytes:
        """Get the octets at ``url``; raises CredentialsTrouble."""
        return await self._ask(b"GET", url, Headers({b"Accept": [b"application/json"]}), b"")

    async def post(self, url: str, form: bytes, *, user: str, password: str) -> bytes:
        """Post a form, as a user if that is not empty; raises CredentialsTrouble."""
        headers = Headers({
            b"Accept": [b"application/json"], b"Content-Type": [b"application/x-www-form-urlencoded"],
        })  # fmt: skip
        if user:
            headers.setRawHeaders(b"Authorization", [b"Basic " + b64encode(f"{user}:{password}".encode())])
        return await self._ask(b"POST", url, headers, form)

    async def _ask(self, method: bytes, url: str, headers: Headers, body: bytes) -> bytes:
        asking = Deferred.fromCoroutine(self._answer(method, url, headers, body))
        asking.addTimeout(self._timeout, self._reactor)
        try:
            return await asking
        except (CancelledError, CredentialsTrouble):
            raise
        except Exception as error:  # noqa: BLE001 - whatever keeps the issuer from answering is trouble of one kind
            raise CredentialsTrouble(f"{url} does not answer: {type(error).__name__}") from None

    async def _answer(self, method: bytes, url: str, headers: Headers, body: bytes) -> bytes:
        producer = FileBodyProducer(BytesIO(body)) if body else None
        response = await self._agent.request(method, url.encode("ascii"), headers, producer)
        collected: Deferred[bytes] = Deferred()
        response.deliverBody(_Collecting(collected))
        octets = await collected
        if response.code != 200:
            raise CredentialsTrouble(f"{url} answers {response.code}")
        return octets


class _Collecting(Protocol):
    """Collects a body, up to a limit."""

    def __init__(self, done: "Deferred[bytes]") -> None:
        self._done = done
        self._octets = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep what came."""
        self._octets += data
        if len(self._octets) > LARGEST and self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Give what was kept, if it is whole."""
        if self._done.called:
            return
        # An answer without a length ends with its connection; one that is cut off there is no JSON.
        if reason.check(ResponseDone, PotentialDataLoss) and len(self._octets) <= LARGEST:
            self._done.callback(self._octets)
        else:
            self._done.errback(reason)
