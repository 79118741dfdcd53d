"""What a message of a broker becomes: mail that is durable, or trouble that passes, or nothing that could ever be mail.

The verdict tells the gateway what it says to its broker: ``Taken`` acknowledges, ``Later`` leaves the message where it is for
another try, ``Bad`` puts it aside for a person to look at. A message's key makes its coming again harmless.
"""

from collections.abc import Mapping

from attrs import field, frozen
from twisted.internet.defer import CancelledError

from mailnode.gateways.api import Draft, GatewayNode, Refused
from mailnode.shipped.forms import RAW, read_json

FROM, TO = "x-mailnode-from", "x-mailnode-to"
MARK, QUEUE_ID, TRACE = "x-mailnode-mark", "x-mailnode-queue-id", "traceparent"
"""Names under which brokers carry what is not in the message itself; the same in both directions."""


@frozen
class Item:
    """A message as a broker gives it."""

    body: bytes = field(repr=False)
    key: str
    """What it is known by, however often it comes; empty: it has no name of its own."""
    content_type: str = ""
    """``message/rfc822`` or JSON; empty: what it looks like."""
    headers: Mapping[str, str] = field(factory=dict)
    """Names in lower case; several addresses in one are parted by commas."""


@frozen
class Taken:
    """It is the node's now."""


@frozen
class Later:
    """It may be taken another time."""

    why: str


@frozen
class Bad:
    """It never will be."""

    why: str


Verdict = Taken | Later | Bad


@frozen
class Intake:
    """Submits what one gateway brings."""

    node: GatewayNode
    protocol: str
    sender: str
    """Who has written what says nothing of it; may be empty."""
    to: tuple[str, ...]
    """Who gets what is addressed to nobody; may be empty."""

    async def take(self, item: Item) -> Verdict:
        """Submit one message; whatever goes wrong is a verdict and never an exception."""
        try:
            verdict = await self._submit(item)
        except CancelledError:
            raise
        except Refused as refused:
            verdict = (Later if refused.reply.is_transient else Bad)(str(refused.reply))
        except ValueError as problem:
            verdict = Bad(str(problem))
        except Exception as problem:  # noqa: BLE001 - a bug must not cost the message
            self.node.log.failure("gateway {gateway} failed to take {key}", gateway=self.node.name, key=item.key)
            verdict = Later(f"{type(problem).__name__}: {problem}")
        if not isinstance(verdict, Taken):
            self.node.log.warn(  # noqa: G010 - the method of twisted.logger
                "gateway {gateway}: {key} {verdict}: {reason}", event="intake", gateway=self.node.name,
                key=item.key or "a message without a name", reason=verdict.why,
                verdict="will never be taken" if isinstance(verdict, Bad) else "is not taken now",
            )  # fmt: skip
        return verdict

    async def _submit(self, item: Item) -> Verdict:
        mail, sender, to = self._read(item)
        done = await self.node.submit(
            mail, protocol=self.protocol, sender=sender, to=to, key=item.key, mark=item.headers.get(MARK, ""),
            traceparent=item.headers.get(TRACE, ""),
        )  # fmt: skip
        late = []
        for address, reply in done.refused:
            part = await self._alone(mail, sender, address, item, f"{address}: {reply}", is_late=reply.is_transient)
            late.extend([part.why] if isinstance(part, Later) else [])
        return Later("; ".join(late)) if late else Taken()

    async def _alone(
        self, mail: Draft | bytes, sender: str, address: str, item: Item, why: str, *, is_late: bool
    ) -> Verdict:
        """Try once more for one who was refused while others were not; the others' part is done."""
        if not is_late:
            self.node.log.warn(  # noqa: G010
                "gateway {gateway}: {key} is not taken for {reason}", event="intake", gateway=self.node.name,
                key=item.key, reason=why,
            )  # fmt: skip
            return Taken()
        try:
            await self.node.submit(
                mail, protocol=self.protocol, sender=sender, to=(address,), key=item.key and f"{item.key} {address}",
                mark=item.headers.get(MARK, ""), traceparent=item.headers.get(TRACE, ""),
            )  # fmt: skip
        except Refused as refused:
            return Later(f"{address}: {refused.reply}") if refused.reply.is_transient else Bad(str(refused.reply))
        return Taken()

    def _read(self, item: Item) -> tuple[Draft | bytes, str, tuple[str, ...]]:
        headers = item.headers
        to = tuple(one.strip() for one in headers.get(TO, "").split(",") if one.strip()) or self.to
        if _is_raw(item):
            if not to:
                raise ValueError(f"the message is for nobody: its header {TO} is missing")
            if not item.body:
                raise ValueError("the message is empty")
            return item.body, headers.get(FROM, self.sender), to
        draft = read_json(item.body, sender=headers.get(FROM, "") or self.sender, to=to)
        return draft, draft.sender, tuple(draft.to)


def _is_raw(item: Item) -> bool:
    kind = item.content_type.partition(";")[0].strip().lower()
    if kind == RAW or kind.endswith("json"):
        return kind == RAW
    return item.body.lstrip()[:1] != b"{"
