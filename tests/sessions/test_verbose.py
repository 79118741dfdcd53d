"""VERB is remembered, and only those who may know hear more."""

from pathlib import Path

from tests.kit.classic import Host

TRANSACTION = b"MAIL FROM:<a@bar.example>\r\nRCPT TO:<jones@foo.example>\r\nDATA\r\nx\r\n.\r\n"


def test_the_trusted_hear_details_until_it_is_off(tmp_path: Path) -> None:
    """On, off, and on again with the word."""
    call = Host(tmp_path).call()
    call.say(b"HELO a\r\nVERB\r\n")
    assert b"250-2.0.0 <jones@foo.example>: delivered" in call.say(TRANSACTION)
    call.say(b"verb OFF\r\n")
    assert b"250-" not in call.say(TRANSACTION)
    call.say(b"VERB on\r\n")
    assert b"250-2.0.0" in call.say(TRANSACTION)


def test_strangers_hear_no_details(tmp_path: Path) -> None:
    """VERB is answered, and nothing more is told."""
    call = Host(tmp_path).call("192.0.2.1")
    assert b"250 2.0.0 Verbose" in call.say(b"HELO a\r\nVERB\r\n")
    assert b"250-" not in call.say(TRANSACTION)


def test_it_counts_as_a_command_without_mail(tmp_path: Path) -> None:
    """Saying it again and again comes to an end, as NOOP does."""
    call = Host(tmp_path).call()
    call.say(b"HELO a\r\n")
    assert b"421 4.7.0" in call.say(b"VERB\r\n" * 201)
