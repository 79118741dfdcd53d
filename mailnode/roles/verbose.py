"""How each recipient fared, for a peer that has said VERB: further lines of the answer to the final dot.

Only those who may send to anywhere hear it: it names mailboxes behind aliases and the hosts that mail goes to.
"""

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from mailnode.mail.envelope import Recipient
from mailnode.mail.outcome import Delivered, Outcome
from mailnode.mail.reply import Reply
from mailnode.roles.keeping import Copy

MOST_LINES = 100
"""Lines at most; a list may stand for thousands."""


def with_details(
    reply: Reply, accepted: Sequence[tuple[Recipient, Sequence[Copy]]], outcomes: Mapping[Copy, Outcome]
) -> Reply:
    """Put a line for each copy before the text of a reply."""
    lines: list[str] = []
    for line in _lines(accepted, outcomes):
        if len(lines) == MOST_LINES:
            lines.append("and so on")
            break
        lines.append(line)
    return evolve(reply, lines=(*lines, *reply.lines))


def _lines(accepted: Sequence[tuple[Recipient, Sequence[Copy]]], outcomes: Mapping[Copy, Outcome]) -> Iterator[str]:
    for recipient, copies in accepted:
        for copy in copies:
            yield f"<{recipient.forward_path}>: {_fate(copy, outcomes.get(copy))}"


def _fate(copy: Copy, outcome: Outcome | None) -> str:
    where, lane = copy.route.forward_path, copy.route.lane
    match outcome:
        case Delivered():
            return f"delivered to <{where}> ({lane.courier}): {outcome.reply}"
        case None:
            return f"queued for <{where}>, by {lane.courier}{f' to {lane.next_hop}' if lane.next_hop else ''}"
        case _:
            return f"not yet delivered to <{where}>, kept for another try: {outcome.reply}"
