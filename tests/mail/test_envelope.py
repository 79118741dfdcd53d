"""What a recipient's sender wishes to hear, and how wishes for one mailbox come together."""

import pytest

from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Notify, Recipient

ANN = Mailbox("ann", "example.org")
S, F, D, N, U = Notify.SUCCESS, Notify.FAILURE, Notify.DELAY, Notify.NEVER, Notify.UNSPECIFIED


@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (N, N, N),
        (N, S, S),
        (N, U, U),
        (U, U, U),
        (U, S, S | F | D),
        (S, F, S | F),
        (D, F | D, F | D),
    ],
)
def test_wishes_for_one_mailbox_are_united(one: Notify, other: Notify, both: Notify) -> None:
    """What was asked for once is owed, in whichever order; NEVER counts only if it was said each time."""
    assert Recipient(ANN, one).united(Recipient(ANN, other)).notify == both
    assert Recipient(ANN, other).united(Recipient(ANN, one)).notify == both


@pytest.mark.rfc("3461", "4.2")
def test_the_original_address_is_that_of_whoever_asks_for_more() -> None:
    """One report bears one ORCPT: of the recipient with SUCCESS, else the first that has one, never of a silent one first."""
    first, second = Recipient(ANN, F, "rfc822;first@x.example"), Recipient(ANN, S, "rfc822;second@x.example")
    assert first.united(second).original == "rfc822;second@x.example"
    assert second.united(first).original == "rfc822;second@x.example"
    assert first.united(Recipient(ANN, S)).original == "rfc822;first@x.example"
    assert Recipient(ANN, N, "rfc822;never@x.example").united(first).original == "rfc822;first@x.example"
