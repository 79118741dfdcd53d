"""Tests of tickets and tokens."""

from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.api import Signer
from mailnode.shipped.mailing_list.tickets import Ticket, Tickets, from_letters, in_letters

NOW = 1_800_000_000.0
TICKETS = Tickets("news", Signer(b"k" * 32))
ANN, EVE = "ann@home.example", "eve@home.example"


def test_a_ticket_about_an_address_needs_the_address() -> None:
    """Others do not open it, and letters are the same in either case."""
    token = TICKETS.for_address("s", ANN, NOW + 60)
    assert TICKETS.read(token, [EVE, ANN.upper()], NOW) == Ticket("s", ANN.upper())
    assert TICKETS.read(token, [EVE], NOW) is None
    assert TICKETS.read(token, [], NOW) is None
    assert ANN.partition("@")[0] not in token


def test_a_ticket_about_a_number_needs_nothing() -> None:
    """It may be brought by anybody who has it."""
    token = TICKETS.for_number("a", 4711, NOW + 60)
    assert TICKETS.read(token, [], NOW) == Ticket("a", "4711")


def test_tickets_expire_and_belong_to_one_list_one_action_one_key() -> None:
    """Not much later than said; nothing of them can be changed."""
    token = TICKETS.for_address("s", ANN, NOW + 60)
    assert TICKETS.read(token, [ANN], NOW + 3660) is None
    assert TICKETS.read("u" + token[1:], [ANN], NOW) is None
    assert Tickets("talk", TICKETS.signer).read(token, [ANN], NOW) is None
    assert Tickets("news", Signer(b"x" * 32)).read(token, [ANN], NOW) is None
    action, expiry, mac = token.split("-")
    later = in_letters((from_letters(expiry) or 0) + 1)
    assert TICKETS.read(f"{action}-{later}-{mac}", [ANN], NOW) is None


def test_tokens_of_members_have_one_purpose() -> None:
    """What unsubscribes is no reverse-path, and the number cannot be changed."""
    token = TICKETS.for_member("unsubscribe", 35)
    assert TICKETS.member("unsubscribe", token.upper()) == 35
    assert TICKETS.member("bounce", token) is None
    assert TICKETS.member("unsubscribe", token.replace("z-", "y-", 1)) is None


@given(st.text(max_size=80))
def test_whatever_comes_is_none(text: str) -> None:
    """Nothing raises, nothing made up counts."""
    assert TICKETS.read(text, [ANN], NOW) is None
    assert TICKETS.member("bounce", text) is None


@given(st.integers(0, 36**8 - 1))
def test_numbers_in_letters(number: int) -> None:
    """There and back."""
    assert from_letters(in_letters(number)) == number
