"""The names of local users, by their numbers.

A lookup reads files or asks a server (NSS), so it is done on a disk thread, once for each number; an account that gets
another name while the node runs keeps its old one here for a while.
"""

import pwd
from collections.abc import Callable

from attrs import Factory, define
from twisted.internet.interfaces import IReactorTime

from mailnode.interfaces import Disk

KEPT = 300.0
"""Seconds that a name is remembered."""

MOST = 1000
"""Names remembered."""


def name_of(uid: int) -> str:
    """Look the name up; who has none goes by the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


@define(eq=False)
class UserNames:
    """Names, looked up when they are needed and remembered."""

    disk: Disk
    clock: IReactorTime
    look_up: Callable[[int], str] = name_of
    _names: dict[int, tuple[float, str]] = Factory(dict)

    def known(self, uid: int) -> str | None:
        """Give the name if it is remembered."""
        until, name = self._names.get(uid, (0.0, ""))
        return name if self.clock.seconds() < until else None

    async def find(self, uid: int) -> str:
        """Look the name up."""
        name = await self.disk.run(lambda: self.look_up(uid))
        if len(self._names) >= MOST:
            self._names.clear()
        self._names[uid] = (self.clock.seconds() + KEPT, name)
        return name
