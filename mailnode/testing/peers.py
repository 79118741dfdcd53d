"""Other sides that are told how to behave: they answer, refuse, break, or say nothing at all.

``FakePeer`` stands for anything a gateway calls; ``FakeHttp`` for a web server behind ``self.node.http``.
"""

from collections import deque
from collections.abc import Mapping
from json import loads
from typing import Any

from attrs import Factory, define, frozen
from twisted.internet.defer import Deferred

from mailnode.gateways.http import HttpResponse


class Hang:
    """An answer that never comes."""


HANG = Hang()


@define
class FakePeer:
    """Answers calls one by one as told, and then always with ``otherwise``."""

    otherwise: Any = None
    calls: list[tuple[Any, ...]] = Factory(list)
    """The arguments of every call, also of those that failed."""
    waiting: list[Deferred[Any]] = Factory(list)
    """Calls that hang; fire one to let it go on."""
    _script: deque[Any] = Factory(deque)

    def will(self, *answers: Any) -> "FakePeer":
        """Say what the next calls get: a value, an exception to be raised, a function of the arguments, or HANG."""
        self._script.extend(answers)
        return self

    def always(self, answer: Any) -> "FakePeer":
        """Say what every call gets once those of ``will`` are over."""
        self.otherwise = answer
        return self

    async def call(self, *arguments: Any) -> Any:
        """Be called."""
        self.calls.append(arguments)
        answer = self._script.popleft() if self._script else self.otherwise
        if isinstance(answer, Hang):
            wait: Deferred[Any] = Deferred()
            self.waiting.append(wait)
            return await wait
        if isinstance(answer, Exception):
            raise answer
        return answer(*arguments) if callable(answer) else answer


@frozen
class Request:
    """A request that a web server got."""

    method: str
    url: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON."""
        return loads(self.body)


@define
class FakeHttp:
    """An HttpClient that is its own server: ``will(503, 200)``, ``will(HttpResponse(200, b"..."))``, ``will(OSError())``."""

    peer: FakePeer = Factory(lambda: FakePeer(otherwise=200))
    requests: list[Request] = Factory(list)

    def will(self, *answers: Any) -> "FakeHttp":
        """Say what the next requests get: a status, an HttpResponse, an exception, or HANG."""
        self.peer.will(*answers)
        return self

    def always(self, answer: Any) -> "FakeHttp":
        """Say what every further request gets."""
        self.peer.always(answer)
        return self

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 60.0,  # noqa: ARG002, ASYNC109 - the clock is in the test's hand
    ) -> HttpResponse:
        """Answer as told."""
        fields = {name.lower(): value for name, value in (headers or {}).items()}
        self.requests.append(Request(method, url, fields, body))
        answer = await self.peer.call(method, url)
        return answer if isinstance(answer, HttpResponse) else HttpResponse(int(answer))
