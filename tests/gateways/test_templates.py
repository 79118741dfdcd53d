"""Tests of address templates: both ways, one-to-one, for every value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.templates import escape, parse_template, unescape
from mailnode.mail.address import Mailbox, parse_mailbox

SMS = parse_template("{number}@sms.example.org <-> {number}")
XMPP = parse_template("{user}.{server}@xmpp.example <-> {user}@{server}")
ROOM = parse_template("{room}@{server}.rooms.example <-> #{room}:{server}")
ALL = (SMS, XMPP, ROOM)

FOREIGN = st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(FOREIGN, st.from_regex(r"[a-z.=@#:+-]{1,12}", fullmatch=True))


@pytest.mark.parametrize(
    ("template", "mail", "foreign"),
    [
        (SMS, "+4917012345@sms.example.org", "+4917012345"),
        (XMPP, "ann.chat.example.com@xmpp.example", "ann@chat.example.com"),
        (XMPP, "ann=2Eb.chat.example.com@xmpp.example", "ann.b@chat.example.com"),
        (XMPP, "j=C3=B6rg.chat@xmpp.example", "jörg@chat"),
        (ROOM, "talk@chat.example.rooms.example", "#talk:chat.example"),
        (SMS, "a=20b=3Dc@sms.example.org", "a b=c"),
    ],
)
def test_an_address_has_a_name_there_and_back(template: object, mail: str, foreign: str) -> None:
    """Examples that a person would expect."""
    assert template.foreign_of(parse_mailbox(mail)) == foreign  # type: ignore[attr-defined]
    assert str(template.mailbox_of(foreign)) == mail  # type: ignore[attr-defined]


@given(user=VALUES, server=VALUES)
def test_from_there_and_back_is_the_same(user: str, server: str) -> None:
    """Whatever name has a mail address, the mail address leads back to exactly that name."""
    for template, foreign in ((SMS, user), (XMPP, f"{user}@{server}"), (ROOM, f"#{user}:{server}")):
        mailbox = template.mailbox_of(foreign)
        if mailbox is not None:
            assert template.foreign_of(mailbox) == foreign
            assert parse_mailbox(str(mailbox)) == mailbox


@given(value=st.text(min_size=1, max_size=20, alphabet=st.characters(max_codepoint=127)))
def test_every_name_has_an_address_where_nothing_is_ambiguous(value: str) -> None:
    """A single field takes any text."""
    assert SMS.mailbox_of(value) is not None


@given(local_part=VALUES, domain=st.sampled_from(["sms.example.org", "xmpp.example", "a.rooms.example"]))
def test_from_here_and_back_is_the_same(local_part: str, domain: str) -> None:
    """Whatever mail address has a name there, the name leads back to exactly that address: no two share one."""
    mailbox = Mailbox(local_part, domain)
    for template in ALL:
        foreign = template.foreign_of(mailbox)
        if foreign is not None:
            assert template.mailbox_of(foreign) == mailbox


@given(value=FOREIGN, separator=st.sampled_from(["", ".", "-", "+"]))
def test_an_escaped_value_holds_no_separator(value: str, separator: str) -> None:
    """And nothing that would need quotes in a local part."""
    written = escape(value, separator)
    assert unescape(written) == value
    assert written.isascii()
    assert not separator or separator not in written


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{a}@x.example", "expected"),
        ("{a} <-> {a}", "no mail address"),
        ("{a}@x.example <-> {b}", "same fields"),
        ("{a}{b}@x.example <-> {a}@{b}", "between two fields"),
        ("{a}.{a}@x.example <-> {a}@{a}", "twice"),
        ("{A}@x.example <-> {A}", "small letters"),
        ("x={a}@x.example <-> {a}", "escape"),
    ],
)
def test_a_bad_template_says_what_is_wrong(text: str, problem: str) -> None:
    """A fault is found at start and not with the first mail."""
    with pytest.raises(ValueError, match=problem):
        parse_template(text)
