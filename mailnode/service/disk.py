"""The node's threads for work that blocks: files, fsync, SQLite.

They are the node's own: names being looked up in the reactor's pool must not wait behind a slow disk, nor the
reverse. A pool of few threads is right, since a disk does not write faster when more ask at once.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")

THREADS = 8
"""Files being written at the same time; beyond it each one only gets slower."""


class DiskThreads:
    """The Disk of a node; threads start with the first work and end with ``stop``."""

    def __init__(self, reactor: IReactorFromThreads, threads: int = THREADS) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=threads, name="disk")

    def start(self) -> None:
        """Take work from now on."""
        self._pool.start()

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` on one of the threads; its exceptions come back as they are."""
        result: Any = await deferToThreadPool(self._reactor, self._pool, work)
        return result  # type: ignore[no-any-return]

    def stop(self) -> None:
        """End the threads; work that was begun is finished first."""
        self._pool.stop()
