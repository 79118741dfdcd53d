"""Tests of names that mail goes to on a broker."""

from collections.abc import Sequence

import pytest

from mailnode.gateways.api import Delayed, Delivered, Outcome, OutgoingRecipient, Trouble, parse_mailbox
from mailnode.mail.envelope import Recipient
from mailnode.shipped.naming import check_template, tells_apart, to_each_name
from tests.kit.results import now

ANN, BOB = (
    OutgoingRecipient(address, Recipient(parse_mailbox(address)), address)
    for address in ("ann@queue.example", "bob@queue.example")
)


@pytest.mark.parametrize("text", ["{", "{x}", "{address!r}", "{address:>9}", "{}", "{address.x}"])
def test_a_template_holds_known_names_and_nothing_else(text: str) -> None:
    """Neither conversions nor attributes: a setting is no program."""
    with pytest.raises(ValueError, match=r"template|expected only"):
        check_template(text)


def test_what_tells_recipients_apart() -> None:
    """A sender's domain is the same for all."""
    assert [tells_apart(one) for one in ("mail", "{sender_domain}", "{domain}", "x.{local_part}")] == [
        False, False, True, True,
    ]  # fmt: skip


def test_one_name_is_sent_to_once() -> None:
    """All recipients have that one outcome."""
    groups: list[Sequence[OutgoingRecipient]] = []

    async def send(group: Sequence[OutgoingRecipient]) -> Outcome:
        groups.append(group)
        return Delivered("done")

    assert now(to_each_name("mail", [ANN, BOB], send)) == {ANN: Delivered("done"), BOB: Delivered("done")}
    assert groups == [[ANN, BOB]]


def test_trouble_with_one_is_not_the_next_ones() -> None:
    """Where names differ each recipient has an outcome of its own; what is raised is one too."""

    async def send(group: Sequence[OutgoingRecipient]) -> Outcome:
        if group == [ANN]:
            raise Trouble(Delayed("not now"))
        return Delivered("done")

    assert now(to_each_name("{address}", [ANN, BOB], send)) == {ANN: Delayed("not now"), BOB: Delivered("done")}
