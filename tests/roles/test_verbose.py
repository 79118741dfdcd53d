"""The lines of VERB: one for each copy, and not without end."""

from mailnode.mail.address import NULL, parse_mailbox
from mailnode.mail.envelope import Recipient
from mailnode.mail.outcome import Delayed, Delivered
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Route
from mailnode.roles.keeping import Copy
from mailnode.roles.verbose import MOST_LINES, with_details

ANN = Recipient(parse_mailbox("ann@a.example"))
ACCEPTED = Reply.of(250, "2.0.0", "Accepted as Q")


def copy(courier: str, hop: str = "") -> Copy:
    """Make a copy."""
    return Copy(ANN, Route(Lane(courier, hop), parse_mailbox("box@b.example")), NULL, NULL)


def test_each_copy_has_its_fate() -> None:
    """Delivered, queued, or kept for another try; the answer itself comes last."""
    done, queued, missed = copy("maildir"), copy("smtp", "b.example"), copy("mbox")
    said = with_details(
        ACCEPTED,
        [(ANN, (done, queued, missed))],
        {done: Delivered(Reply.of(250, "2.0.0", "Done")), missed: Delayed(Reply.of(451, "4.2.0", "locked"))},
    )
    assert said.lines == (
        "<ann@a.example>: delivered to <box@b.example> (maildir): 250 2.0.0 Done",
        "<ann@a.example>: queued for <box@b.example>, by smtp to b.example",
        "<ann@a.example>: not yet delivered to <box@b.example>, kept for another try: 451 4.2.0 locked",
        "Accepted as Q",
    )


def test_there_is_an_end() -> None:
    """A list of thousands does not make thousands of lines."""
    copies = tuple(copy("smtp", "b.example") for _ in range(MOST_LINES + 50))
    said = with_details(ACCEPTED, [(ANN, copies)], {})
    assert len(said.lines) == MOST_LINES + 2
    assert said.lines[-2:] == ("and so on", "Accepted as Q")
