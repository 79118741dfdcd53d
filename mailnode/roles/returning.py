"""Mail that is to be given back to its sender at once, because nobody stands at the door any more to hear why it is refused.

What was taken from the maildrop was promised when it was put there. What the door then refuses goes into the spool in a lane
of its own, whose next hop is the refusal; its first attempt fails with it, and the relay role reports that to the sender.
"""

from collections.abc import Mapping

from attrs import frozen

from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Failed, Outcome
from mailnode.mail.reply import Reply, Status
from mailnode.mail.route import Lane

RETURNED = "returned"
"""The courier's name."""

LONGEST = 300
"""Characters of the refusal."""


def returned(reply: Reply) -> Lane:
    """Give the lane in which everything fails with this reply."""
    return Lane(RETURNED, str(reply)[:LONGEST])


def refusal(lane: Lane) -> Reply:
    """Read the reply out of the lane."""
    code, _, rest = lane.next_hop.partition(" ")
    status, _, text = rest.partition(" ")
    try:
        return Reply(int(code), (text,), Status.parse(status))
    except ValueError:
        return Reply(int(code) if code.isdigit() else 550, (rest,))


@frozen
class ReturningCourier:
    """A Courier that carries nothing: everything fails at once."""

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Fail for everyone."""
        return dict.fromkeys(request.message.envelope.recipients, Failed(refusal(request.lane)))

    async def close(self) -> None:
        """Nothing is open."""
