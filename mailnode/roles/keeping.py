"""What goes into the spool at the final dot: copies become entries, one for each reverse-path and mark.

All entries of one message share its content. The spool takes the file of each entry over, so each but the last gets a
further name of the file (a twin), under a queue id of its own.
"""

from collections.abc import Sequence
from pathlib import Path

from attrs import Factory, define, evolve
from twisted.internet.defer import CancelledError, Deferred

from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import Message, NewEntry
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.route import Lane, Route
from mailnode.mail.wishes import begun_at, returned_at
from mailnode.roles.forwarding import marked
from mailnode.roles.house import House

Key = tuple[Lane, Mailbox, Mailbox]
"""What makes two copies one: the lane, the address there, and the reverse-path."""


@define(eq=False)
class Copy:
    """One copy to be made: for whom, from whom, along which route."""

    recipient: Recipient
    """With all that was wished for it, by whichever address it was reached."""
    route: Route
    reverse_path: Mailbox
    """A list's copies bear its owner's address; all others the sender's own."""
    sent_on_by: Mailbox
    """The address of ours that sends it on to another house; NULL when none does."""
    is_held: bool = False
    """The sender lets it wait for a time to come (RFC 4865)."""

    @property
    def is_direct(self) -> bool:
        """Tell whether it goes into a mailbox of ours before the answer."""
        return self.route.is_local and not (self.recipient.wants_success or self.is_held)

    @property
    def key(self) -> Key:
        """Name it: who has it already gets no second one."""
        return self.route.lane, self.route.forward_path, self.reverse_path


@define
class Keeping:
    """Makes the entries of one message."""

    house: House
    _twins: list[Path] = Factory(list)
    """Further names of the content's file, one for each further entry."""

    async def entries(self, message: Message, copies: Sequence[Copy], expanded: Sequence[Recipient]) -> list[NewEntry]:
        """Make the entries of the spool, and before them the report for lists that were ``expanded``, if one is owed."""
        entries: list[NewEntry] = []
        if expanded:
            entries.extend(await self.house.report_expansion(message, expanded))
        groups: dict[tuple[Mailbox, Mailbox], list[Copy]] = {}
        for copy in copies:
            groups.setdefault((copy.reverse_path, copy.sent_on_by), []).append(copy)
        for number, ((path, by), mine) in enumerate(groups.items(), start=1):
            envelope = evolve(message.envelope, reverse_path=path, recipients=tuple(copy.recipient for copy in mine))
            own = evolve(message, envelope=envelope, content=marked(message.content, by))
            if number < len(groups):
                own = await self._twin(own)
            expires = min(begun_at(message) + self.house.give_up(path), returned_at(message))
            entries.append(NewEntry(own, tuple(copy.route for copy in mine), expires))
        return entries

    def discard(self) -> None:
        """Remove the names that the spool has not taken over."""
        twins, self._twins = self._twins, []
        if twins:
            removal = Deferred.fromCoroutine(self.house.disk.run(lambda: _remove(twins)))
            removal.addErrback(lambda failure: failure.trap(OSError, CancelledError))

    async def _twin(self, message: Message) -> Message:
        queue_id = new_queue_id(self.house.clock.seconds(), self.house.random)
        content, path = message.content, self.house.incoming / queue_id
        original = content.path
        if original is not None:
            self._twins.append(path)
            await self.house.disk.run(lambda: path.hardlink_to(original))
            content = evolve(content, path=path)
        return evolve(message, queue_id=queue_id, content=content)


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
