"""The pickup: takes what programs left in the maildrop while no node answered, and hands it to the door.

Whoever put a draft there was told that all is well, so what the door refuses for good is returned to its sender as a
notification (``roles.returning``), and what it refuses for now is tried again. A draft is removed once it is in the spool or
in mailboxes: after a crash in between it arrives twice. Drafts of one user wait while that user sends too much.
"""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.fronts.users import UserNames
from mailnode.interfaces import Disk, Queue
from mailnode.mail.address import NULL
from mailnode.mail.content import MEMORY_LIMIT, Content
from mailnode.mail.message import Message, NewEntry
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.route import Route
from mailnode.originator.maildrop import Dropped, Unfit, keep, opened
from mailnode.originator.place import Place
from mailnode.originator.receipt import BadDraft, NotSent, Receipt, RefusedRecipient
from mailnode.originator.within import Within
from mailnode.roles.returning import returned
from mailnode.service import meeting
from mailnode.service.patience import Patience

AGAIN = 60.0
"""Seconds until a draft that the door refused for now is tried again."""
LATER = 600.0
"""Seconds until a draft is looked at again whose user sends too much: long enough that other users' have their turn."""
_FOR_NOW = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EINTR, errno.EAGAIN, errno.ESTALE)
"""Trouble of ours: it says nothing of the file."""


class Pickup:
    """Looks into the maildrop again and again."""

    log = Logger()

    def __init__(
        self,
        place: Place,
        within: Within,
        queue: Queue,
        *,
        users: UserNames,
        patience: Patience,
        limits: Callable[[], tuple[float, float]],
    ) -> None:
        """Prepare; ``limits`` gives the seconds between two looks, and for how long a notice is kept."""
        self._place = place
        self._within = within
        self._queue = queue
        self._users = users
        self._patience = patience
        self._limits = limits
        self._clock: Any = within.clock
        self._disk: Disk = within.disk
        self._not_before: dict[str, float] = {}
        self._running: Deferred[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._ended)

    def _ended(self, failure: Any) -> None:
        if not failure.check(CancelledError):
            self.log.failure("The maildrop is not looked into any more", failure)

    async def stop(self) -> None:
        """Look no more; a draft that is being handed over is handed over or stays where it is."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await running

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except OSError as error:
                self.log.error("The maildrop cannot be read: {reason}", event="trouble", reason=str(error))
            await deferLater(self._clock, self._limits()[0])

    async def look(self) -> int:
        """Take what waits; give how many drafts were handed over."""
        now = self._clock.seconds()
        self._not_before = {name: when for name, when in self._not_before.items() if when > now}
        put_off = tuple(self._not_before)
        names = await self._disk.run(lambda: meeting.gather(self._place, now, self._put_aside, put_off))
        done = 0
        for name in names:
            try:
                done += await self._take(self._place.data / meeting.TAKEN / name)
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001 - one draft that we cannot cope with must not keep the others waiting
                self.log.failure("{name} in the maildrop could not be taken", name=name)
                self._not_before[name] = now + AGAIN
        return done

    async def _take(self, path: Path) -> bool:
        try:
            dropped = await self._disk.run(lambda: opened(path))
        except (Unfit, OSError) as why:
            if isinstance(why, OSError) and why.errno in _FOR_NOW:
                raise
            await self._aside(path, str(why))
            return False
        try:
            user = await self._users.find(dropped.user_id)
            now = self._clock.seconds()
            if self._patience.ends_for(user, now):
                self._not_before[path.name] = now + LATER
                return False
            return await self._hand_over(path, dropped, user)
        finally:
            dropped.close()

    async def _hand_over(self, path: Path, dropped: Dropped, user: str) -> bool:
        within = evolve(self._within, peer=evolve(self._within.peer, listener="maildrop", user=user))
        try:
            receipt = await within.submit(dropped.draft, size=dropped.size)
        except BadDraft as bad:
            await self._aside(path, str(bad))
            return False
        except NotSent as no:
            if not all(one.reply.is_permanent for one in no.refused):
                self._not_before[path.name] = self._clock.seconds() + AGAIN
                return False
            receipt = Receipt(refused=no.refused)
        await self._return([one for one in receipt.refused if one.reply.is_permanent], within, dropped)
        later = tuple(one.address for one in receipt.refused if not one.reply.is_permanent)
        await self._disk.run(lambda: self._end(path, dropped, later))
        return True

    def _end(self, path: Path, dropped: Dropped, later: tuple[str, ...]) -> None:
        """Remove the draft, but keep one for recipients who were put off."""
        if later:
            keep(path.parent, evolve(dropped.draft, recipients=later), now=self._clock.seconds())
        path.unlink()
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    async def _return(self, refused: Sequence[RefusedRecipient], within: Within, dropped: Dropped) -> None:
        """Tell the sender who is not to be had."""
        if not refused:
            return
        message = await self._disk.run(lambda: within.seal(dropped.draft))
        replies = {one.address: one.reply for one in refused}
        meant = tuple(one for one in message.envelope.recipients if str(one.forward_path) in replies)
        for one in refused:
            self.log.warn(  # noqa: G010 - Twisted's name
                "From the maildrop, by {user}: {refused}", event="trouble", user=within.peer.user, refused=str(one)
            )
        if message.envelope.reverse_path == NULL or not meant:
            return
        now = self._clock.seconds()
        content = Content(message.start[:MEMORY_LIMIT])
        envelope = evolve(message.envelope, recipients=meant)
        routes = tuple(Route(returned(replies[str(one.forward_path)]), one.forward_path) for one in meant)
        queue_id = new_queue_id(now, within.random)
        await self._queue.submit(NewEntry(Message(queue_id, envelope, content, now), routes, now + self._limits()[1]))

    async def _aside(self, path: Path, why: str) -> None:
        await self._disk.run(lambda: meeting.put_aside(self._place, path))
        self._put_aside(path.name, why)

    def _put_aside(self, name: str, why: str) -> None:
        self.log.warn(  # noqa: G010 - Twisted's name
            "{name} in the maildrop is no mail: {why}; see {folder}",
            event="trouble",
            name=name,
            why=why,
            folder=meeting.ASIDE,
        )
