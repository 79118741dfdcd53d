"""Who is on the reactor thread just now: each step of a gateway's coroutine is marked with its name.

A thread of the node looks at the mark (``service.blocking``): a step that lasts for seconds blocks everybody, and the log
names the gateway while it still does.
"""

from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from attrs import define

T = TypeVar("T")


@define
class Slices:
    """The mark."""

    current: str = ""
    """The gateway whose code runs now; empty when none does."""
    number: int = 0
    """Changes with every step."""

    def begin(self, name: str) -> None:
        """Set the mark."""
        self.number += 1
        self.current = name

    def end(self) -> None:
        """Take it away."""
        self.current = ""


class timed:  # noqa: N801 - reads as a verb where it is used: ``await timed(coroutine, ...)``
    """Await a coroutine, with the mark set whenever its code runs."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], slices: Slices, name: str) -> None:
        self._coroutine = coroutine
        self._slices = slices
        self._name = name

    def __await__(self) -> Generator[Any, Any, Any]:
        """Run it step by step."""
        return self._steps()

    def _steps(self) -> Generator[Any, Any, Any]:
        send: Any = self._coroutine.send
        value: Any = None
        while True:
            self._slices.begin(self._name)
            try:
                waits_for = send(value)
            except StopIteration as done:
                return done.value
            finally:
                self._slices.end()
            try:
                value, send = (yield waits_for), self._coroutine.send
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - it goes on where it belongs
                value, send = error, self._coroutine.throw
