"""A post becomes one copy for each member; over when every copy is durable.

Members go by number, ``IN_FLIGHT`` at a time; after each group it is written down how far the post has got. So memory holds few
copies, and after a crash, or after ``SLICE`` seconds (so that no time limit ends it in the middle), the next attempt goes on there. A
copy that is refused for now makes its member late, and others do not wait for him; one refused for good counts as a bounce.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from attrs import frozen
from twisted.internet.defer import Deferred, gatherResults

from mailnode.gateways.api import Delayed, Refused, Trouble
from mailnode.shipped.mailing_list.archive import append, entry, files, size
from mailnode.shipped.mailing_list.bounces import FOR_EVER, FOR_NOW
from mailnode.shipped.mailing_list.mailing import Mailing
from mailnode.shipped.mailing_list.store import Member, Progress
from mailnode.shipped.mailing_list.texts import STOPPED

IN_FLIGHT = 20
"""Copies handed in at the same time."""
PAGE = 400
"""Members read at the same time."""
SLICE = 45.0
"""Seconds after which an attempt ends, and the next one goes on."""
LATE_FOR = 86400.0
"""Seconds for which a copy is tried that is refused for now."""


@frozen
class Post:
    """A post, ready but for what differs from copy to copy."""

    key: str
    head: bytes
    """Its header, with the fields of the list on top."""
    body: bytes
    """From the empty line on."""
    sender: str
    arrived: float
    mark: str
    traceparent: str


Source = Callable[[int, int], Awaitable[list[Member]]]


@frozen
class Fanout:
    """Spreads one post."""

    mailing: Mailing
    post: Post

    async def spread(self) -> None:
        """Archive it and give each member a copy; Trouble when that is not done yet."""
        store, post = self.mailing.store, self.post
        places = files(self.mailing.node.folder / self.mailing.name, post.arrived)
        progress = await store.begin(post.key, self._now(), lambda: (size(places[0]), size(places[1])))
        if self.mailing.settings.archive and not progress.is_archived:
            await self._archive(progress)
        end = self._now() + SLICE
        await self._to_all(lambda after, most: store.active(self.mailing.name, after, most), progress.reached, end)
        await self._to_late(end)

    async def _archive(self, progress: Progress) -> None:
        places = files(self.mailing.archive, self.post.arrived)
        octets = entry(self.post.head + self.post.body, self.post.sender, self.post.arrived)
        for path, since in zip(places, (progress.whole, progress.month), strict=True):
            if not await self.mailing.node.disk.run(partial(append, path, octets, since)):
                raise Trouble(Delayed("another program has the archive", "4.2.0", retry_after=5.0))
        await self.mailing.store.archived(self.post.key)

    async def _to_all(self, members: Source, reached: int, end: float) -> None:
        while page := await members(reached, PAGE):
            for start in range(0, len(page), IN_FLIGHT):
                group = page[start : start + IN_FLIGHT]
                late = await self._to_group(group)
                reached = group[-1].number
                await self.mailing.store.reached(self.post.key, reached, [one.number for one in late])
                self._stop_at(end)

    async def _to_late(self, end: float) -> None:
        """Try those again who could not be given their copy before, until a day is over."""
        store, key, after, waits = self.mailing.store, self.post.key, 0, 0
        is_over = self._now() - self.post.arrived >= LATE_FOR
        while group := await store.late(key, after, IN_FLIGHT):
            late = await self._to_group(group)
            for one in late if is_over else ():
                await self.failed(one, FOR_NOW, "refused for now, for a day")
            waits += 0 if is_over else len(late)
            kept = () if is_over else {one.number for one in late}
            await store.caught_up(key, [one.number for one in group if one.number not in kept])
            after = group[-1].number
            self._stop_at(end)
        if waits:
            raise Trouble(Delayed(f"{waits} members cannot be given their copies now", "4.2.0"))

    def _stop_at(self, end: float) -> None:
        if self._now() >= end:
            raise Trouble(Delayed("copies are being made", "4.4.5", retry_after=1.0))

    async def _to_group(self, group: Sequence[Member]) -> list[Member]:
        """Hand in a copy for each; give those to whom it is refused for now. Trouble when it is all of several."""
        refused = await gatherResults([Deferred.fromCoroutine(self._copy(one)) for one in group], consumeErrors=True)
        late = [one for one, reply in zip(group, refused, strict=True) if reply]
        if len(late) == len(group) > 1:
            raise Trouble(Delayed(f"the node takes no copies: {refused[0]}", "4.3.0"))
        return late

    async def _copy(self, member: Member) -> str:
        """Hand in one copy; gives the words of a refusal for now, else nothing."""
        mailing, post = self.mailing, self.post
        verp = mailing.address("bounces", mailing.tickets.for_member("bounce", member.number))
        octets = b"".join([*mailing.fields_of(member.number), post.head, post.body])
        try:
            await mailing.node.submit(
                octets, sender=verp, to=(member.address,), protocol="LIST", key=f"{post.key} {member.number}",
                mark=post.mark, traceparent=post.traceparent,
            )  # fmt: skip
        except Refused as refused:
            if refused.reply.is_transient:
                return str(refused.reply)
            await self.failed(member, FOR_EVER, str(refused.reply))
        return ""

    async def failed(self, member: Member, weight: float, reason: str) -> None:
        """Count a copy that could not even be handed in."""
        await count(self.mailing, member.number, weight, reason, self.post.key)

    def _now(self) -> float:
        return float(self.mailing.node.clock.seconds())


async def count(mailing: Mailing, number: int, weight: float, reason: str, key: str) -> None:
    """Raise a member's score, and tell the owners if that was the end of his copies."""
    now = mailing.node.clock.seconds()
    stopped = await mailing.store.bounced(mailing.name, number, weight, now, mailing.settings)
    if stopped is not None:
        mailing.node.log.info(
            "list {list}: a member gets no more copies: {reason}", event="list", list=mailing.name, reason=reason
        )
        words = {"target": stopped.address, "reason": reason or "none was given"}
        await mailing.tell_owners(STOPPED, words, f"{key} stopped {number}")
