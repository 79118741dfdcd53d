"""The extensions of old are offered where they are switched on, and only there."""

import pytest

from mailnode.mail.envelope import Manner
from mailnode.smtp import events
from mailnode.smtp.classic import classic_extensions
from mailnode.smtp.extensions import standard_extensions
from mailnode.smtp.settings import ServerSettings
from tests.kit.machine import Host

SETTINGS = ServerSettings(max_size=1000)
ALL = classic_extensions(expands=True, sends=True, is_verbose=True)


def host(*, is_on: bool) -> Host:
    """Make a host that has said hello, with all of it or nothing."""
    one = Host(SETTINGS, (*standard_extensions(SETTINGS), *(ALL if is_on else ())))
    one.feed(b"HELO a\r\n")
    return one


def test_each_is_said_when_it_is_on() -> None:
    """HELP is always there; the others as the settings say."""
    assert [one.keyword for one in ALL] == ["HELP", "EXPN", "SEND", "SOML", "SAML", "VERB"]
    assert [one.keyword for one in classic_extensions(expands=False, sends=False, is_verbose=False)] == ["HELP"]


@pytest.mark.rfc("821", "3.4")
@pytest.mark.parametrize("verb", ["SEND", "SOML", "SAML"])
def test_a_sending_verb_opens_a_transaction(verb: str) -> None:
    """It is MAIL by another name, parameters and order included; where it is not offered it is 502."""
    one = host(is_on=True)
    assert one.feed(f"{verb.lower()} FROM:<a@b.example> SIZE=10\r\n".encode()).startswith(b"250 2.1.0")
    event = one.events[-1]
    assert isinstance(event, events.Mail)
    assert (event.envelope.manner, event.size) == (Manner(verb), 10)
    assert one.feed(f"{verb} FROM:<a@b.example>\r\n".encode()).startswith(b"503 5.5.1")
    assert one.feed(b"RSET\r\n" + f"{verb} TO:<a@b>\r\n".encode()).endswith(
        b"501 5.5.4 Syntax: MAIL FROM:<address> [parameters]\r\n"
    )
    assert host(is_on=False).feed(f"{verb} FROM:<a@b.example>\r\n".encode()).startswith(b"502 5.5.1")


def test_mail_is_mail() -> None:
    """The usual verb has the usual manner."""
    one = host(is_on=True)
    one.feed(b"MAIL FROM:<a@b.example>\r\n")
    event = one.events[-1]
    assert isinstance(event, events.Mail)
    assert event.envelope.manner is Manner.MAIL


@pytest.mark.rfc("5321", "F.1")
def test_turn_is_refused_with_its_reason() -> None:
    """502, and the words say that it is insecure; so is VERB where it is off, without these words."""
    assert b"insecure" in host(is_on=True).feed(b"TURN\r\n")
    assert host(is_on=False).feed(b"VERB\r\n").startswith(b"502 5.5.1 Command not offered")


def test_unknown_is_still_500() -> None:
    """A word of no RFC."""
    assert host(is_on=True).feed(b"ONEX\r\n").startswith(b"500 5.5.2")
