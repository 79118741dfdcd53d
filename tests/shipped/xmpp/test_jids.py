"""Tests of JIDs that stand for mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import Mailbox, parse_mailbox
from mailnode.shipped.xmpp.jids import bare, escape, jid_of, mail_of, parse_jid, unescape


@pytest.mark.parametrize(
    ("address", "local_part"),
    [
        ("ann@home.example", r"ann\40home.example"), ("o'neil@x.example", r"o\27neil\40x.example"),
        ("a/b&c@x.example", r"a\2fb\26c\40x.example"), ('"a b"@x.example', r"\22a\20b\22\40x.example"),
    ],
)  # fmt: skip
def test_an_address_has_one_jid(address: str, local_part: str) -> None:
    """Written by XEP-0106, and read back."""
    jid = jid_of(parse_mailbox(address), "mail.example.org")
    assert jid == f"{local_part}@mail.example.org"
    assert mail_of(jid) == parse_mailbox(address)


def test_the_older_form_is_read_too() -> None:
    """With a percent sign, as transports have long had it."""
    assert mail_of("ann%home.example@mail.example.org") == Mailbox("ann", "home.example")


@given(st.text(alphabet=st.sampled_from("ab2045c \\\"&'/:<>@%."), max_size=20))
def test_escaping_can_be_undone(text: str) -> None:
    """Whatever stands there, backslashes that look like escapes included."""
    if text == text.strip(" "):
        assert unescape(escape(text)) == text


@given(st.text(max_size=40))
def test_nothing_hostile_gets_through(text: str) -> None:
    """A JID, or ValueError."""
    try:
        jid = bare(text)
    except ValueError:
        return
    assert bare(jid) == jid


@pytest.mark.parametrize("text", ["", "@", "a@", "a" * 2000 + "@b", "a@b@c", "\x00@b"])
def test_what_is_none(text: str) -> None:
    """No server, too long, or with characters that cannot be."""
    with pytest.raises(ValueError, match="no JID"):
        parse_jid(text)
