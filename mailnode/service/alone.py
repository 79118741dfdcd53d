"""Run one command without a node: the same rooms, opened for a moment, on a reactor of its own.

The data folder is locked as a node locks it, so a node and a command never work on it side by side. Whoever is root
becomes the folder's owner first, so that no file is left behind that the node cannot write. New messages are kept in the
spool for the node to find; the queue here never starts.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure

from mailnode.service.asking import BUG, CommandFailed, failure_of
from mailnode.service.commands import Commands
from mailnode.service.composition import build
from mailnode.service.folder import prepare
from mailnode.service.ground import Ground, hostname_of
from mailnode.service.settings import NodeSettings

Item = dict[str, Any]


class LocalExchange:
    """The Exchange of a command in this process."""

    def __init__(self, show: Callable[[Item], None], content: Iterable[bytes]) -> None:
        self._show = show
        self._content = iter(content)

    async def emit(self, item: Item) -> None:
        """Show one item."""
        self._show(item)

    async def read(self) -> bytes:
        """Give the next octets of the content, empty at its end."""
        return next(self._content, b"")


def run_alone(
    settings: NodeSettings, request: Mapping[str, Any], show: Callable[[Item], None], content: Iterable[bytes]
) -> Item:
    """Run the command and give its last word; raises CommandFailed or StartFailed."""
    folder = settings.node.folder.absolute()
    prepare(folder, None, None)
    _become_owner(folder)
    reactor: Any = SelectReactor()
    results: list[Any] = []

    def end(result: Any) -> None:
        results.append(result)
        reactor.stop()

    async def work() -> Item:
        works = build(settings, Ground(folder, reactor, SystemRandom(), hostname_of(settings)))
        works.remember()
        try:
            return await Commands(works.parts).run(request, LocalExchange(show, content))
        finally:
            await works.stop(0)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(work()).addBoth(end))
    reactor.run(installSignalHandlers=False)
    (result,) = results
    if not isinstance(result, Failure):
        done: Item = result
        return done
    if isinstance(result.value, Exception):
        raise failure_of(result.value) or result.value
    raise CommandFailed(result.getErrorMessage(), code=BUG)


def _become_owner(folder: Path) -> None:
    """Give root up for good where the folder belongs to someone else."""
    owner = folder.stat()
    if not os.geteuid() and owner.st_uid:
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
