"""A batch becomes mail: each of its messages is submitted under a key of its own, and what is refused is answered.

A file is done with when everything in it is the node's, or was returned to its sender, or lies aside. Until then it stays,
and what was taken of it before is known by its key: the name of the file, the number in it, and a digest of the message, since
names may come again.
"""

from collections.abc import Sequence
from functools import partial

from attrs import define

from mailnode.gateways.api import GatewayNode, Refused, Submitted
from mailnode.mail.reply import Reply
from mailnode.shipped.uucp.batch_reading import BatchReader, Transaction
from mailnode.shipped.uucp.inbox import BatchFile, Inbox, Unfit
from mailnode.shipped.uucp.returning import report_on

BLOCK = 1 << 16


@define
class Taking:
    """Takes the batches of one folder."""

    node: GatewayNode
    inbox: Inbox
    largest: int
    """Octets of a message."""

    async def take(self, name: str) -> bool:
        """Take a batch; False when it has to be tried again. Raises OSError."""
        try:
            is_done = await self._read(name)
        except Unfit as unfit:
            await self._lay_aside(name, str(unfit))
            return True
        if is_done:
            await self.node.disk.run(partial(self.inbox.remove, name))
        return is_done

    async def _read(self, name: str) -> bool:
        file = await self.node.disk.run(partial(self.inbox.opened, name))
        found: list[Transaction] = []
        reader = BatchReader(largest=self.largest, hear=found.append)
        is_done = True
        try:
            while not reader.is_over:
                more = await self.node.disk.run(partial(_read_some, file, reader))
                for one in found:
                    is_done = await self._take_one(name, one) and is_done
                found.clear()
                if not more:
                    break
        finally:
            await self.node.disk.run(file.close)
        if reader.trouble and is_done:
            raise Unfit(reader.trouble)
        return is_done

    async def _take_one(self, name: str, one: Transaction) -> bool:
        """Submit a message; False when that is to be tried again."""
        label = f"{name}.{one.number}"
        if one.why or not one.recipients:
            await self._keep_aside(label, one, "; ".join([one.why or "it has no recipient", *one.faults]))
            return True
        if one.faults:
            await self._keep_aside(label, one, "; ".join(one.faults))
        key = f"{label} {one.digest}"
        refused: list[tuple[str, Reply]] = []
        late: list[tuple[str, Reply]] = []
        everybody = tuple(str(each.forward_path) for each in one.recipients)
        for address, reply in await self._submit(one, everybody, key):
            # What was put off while others were taken is tried alone, under a key of its own.
            alone = [(address, reply)]
            if reply.is_transient and len(everybody) > 1:
                alone = list(await self._submit(one, (address,), f"{key} {address}"))
            for each in alone:
                (late if each[1].is_transient else refused).append(each)
        if refused:
            is_told = await self._tell(label, one, refused, key)
            return is_told and not late
        return not late

    async def _submit(self, one: Transaction, to: tuple[str, ...], key: str) -> Sequence[tuple[str, Reply]]:
        """Submit it; gives those who did not get it."""
        try:
            done: Submitted = await self.node.submit(
                one.octets, protocol="BSMTP", sender=str(one.reverse_path), to=to, key=key
            )
        except Refused as refused:
            self.node.log.warn(  # noqa: G010 - the method of twisted.logger
                "gateway {gateway}: {key} is not taken: {reason}", event="intake", gateway=self.node.name, key=key,
                reason=str(refused.reply),
            )  # fmt: skip
            return [(address, refused.reply) for address in to]
        except ValueError as problem:
            return [(address, Reply.of(553, "5.1.3", str(problem))) for address in to]
        return done.refused

    async def _tell(self, label: str, one: Transaction, refused: Sequence[tuple[str, Reply]], key: str) -> bool:
        """Send the sender a report; where nobody can be told, a person is."""
        why = "; ".join(f"<{address}>: {reply}" for address, reply in refused)
        report = report_on(
            one, refused, hostname=self.node.hostname, now=self.node.clock.seconds(), random=self.node.random
        )
        if report is not None:
            try:
                await self.node.submit(
                    report, protocol="BSMTP", sender="", to=(str(one.reverse_path),), key=f"{key} report"
                )
            except Refused as no:
                if no.reply.is_transient:
                    return False
            else:
                return True
        await self._keep_aside(label, one, why)
        return True

    # --- aside

    async def _keep_aside(self, label: str, one: Transaction, why: str) -> None:
        envelope = "".join(f"RCPT TO:<{each.forward_path}>\r\n" for each in one.recipients)
        octets = f"MAIL FROM:<{one.reverse_path}>\r\n{envelope}\r\n".encode() + one.octets
        await self.node.disk.run(partial(self.inbox.keep_aside, label, octets, why))
        self._warn(label, why)

    async def _lay_aside(self, name: str, why: str) -> None:
        await self.node.disk.run(partial(self.inbox.lay_aside, name, why))
        self._warn(name, why)

    def _warn(self, name: str, why: str) -> None:
        self.node.log.warn(  # noqa: G010
            "gateway {gateway}: {name} is laid aside: {why}", event="intake", gateway=self.node.name, name=name, why=why
        )


def _read_some(file: BatchFile, reader: BatchReader) -> bool:
    """Read a block; False at the end."""
    block = file.read(BLOCK)
    if block:
        reader.feed(block)
    else:
        reader.end()
    return bool(block)
