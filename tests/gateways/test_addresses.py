"""Tests of the address book: aliases, templates and signed reply addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.addresses import AddressBook, parse_map
from mailnode.gateways.tokens import Signer
from mailnode.mail.address import Mailbox, parse_mailbox

BOOK = AddressBook(
    templates=parse_map(["room-{room}@chat.example <-> #{room}", "{name}@chat.example <-> {name}"]),
    aliases={"boss@home.example": "eve", "ops@home.example": "#ops", "team@home.example": "#ops"},
    gateway="chat",
    reply_domain="chat.example",
    signer=Signer(b"k" * 32),
)
SIGNED = AddressBook(parse_map(["{number}@sms.example <-> +{number}"]), {}, "sms", "sms.example", Signer(b"k" * 32))


@pytest.mark.parametrize(
    ("mail", "foreign"),
    [
        ("boss@home.example", "eve"),
        ("BOSS@HOME.example", "eve"),
        ("room-x@chat.example", "#x"),
        ("bob@chat.example", "bob"),
        ("bob@other.example", None),
    ],
)
def test_aliases_come_before_templates(mail: str, foreign: str | None) -> None:
    """The first that fits counts."""
    assert BOOK.foreign(parse_mailbox(mail)) == foreign


@pytest.mark.parametrize(("foreign", "mail"), [("eve", "boss@home.example"), ("#ops", "ops@home.example")])
def test_the_first_alias_is_the_mail_address(foreign: str, mail: str) -> None:
    """Where several stand for one."""
    assert str(BOOK.mail(foreign)) == mail


@given(foreign=st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_mail_address_always_leads_back(foreign: str) -> None:
    """Also where aliases and templates cross."""
    mailbox = BOOK.mail(foreign)
    assert mailbox is None or BOOK.foreign(mailbox) == foreign


@given(foreign=st.text(min_size=1, max_size=25, alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_a_signed_reply_address_leads_back_and_is_stable(foreign: str) -> None:
    """Whoever has no mail address by the map gets one that only we can make."""
    mailbox = SIGNED.reply_address(foreign)
    assert SIGNED.reply_address(foreign) == mailbox
    assert SIGNED.foreign(mailbox) == foreign
    is_signed = not foreign.startswith("+")
    assert not is_signed or SIGNED.foreign(Mailbox(mailbox.local_part.upper(), "SMS.example")) == foreign


def test_a_forged_reply_address_is_nobody() -> None:
    """Neither another key nor another gateway's signature opens it, and no template takes it for a name."""
    mailbox = SIGNED.reply_address("someone")
    other = AddressBook((), {}, "sms", "sms.example", Signer(b"x" * 32))
    assert other.foreign(mailbox) is None
    assert AddressBook((), {}, "irc", "sms.example", Signer(b"k" * 32)).foreign(mailbox) is None


def test_what_cannot_be_written_says_so() -> None:
    """A name that is too long, or no domain for it."""
    with pytest.raises(ValueError, match="too long"):
        SIGNED.reply_address("x" * 60)
    with pytest.raises(ValueError, match="reply_domain"):
        AddressBook(parse_map(["{n}@x.example <-> +{n}"])).reply_address("x")


def test_without_a_map_the_mail_address_is_the_name() -> None:
    """Both ways."""
    book = AddressBook()
    assert book.foreign(Mailbox("ann", "x.example")) == "ann@x.example"
    assert str(book.mail("ann@x.example")) == "ann@x.example"
    assert book.mail("no address") is None


def test_whom_the_gateway_does_not_know_is_nobody() -> None:
    """The gateway's own word comes after map and aliases."""
    book = AddressBook(knows=lambda address: address.startswith("news"))
    assert book.foreign(Mailbox("news", "lists.example")) == "news@lists.example"
    assert book.foreign(Mailbox("olds", "lists.example")) is None
