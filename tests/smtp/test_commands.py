"""Command lines become events."""

import pytest

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.smtp import events
from mailnode.smtp.commands import LMTP_VERBS, VERBS
from tests.kit.machine import Host

READY = b"EHLO x\r\n"
SENDER = READY + b"MAIL FROM:<a@b.example>\r\n"


@pytest.mark.parametrize(
    ("before", "line", "event"),
    [
        (b"", "EHLO mx.example", events.Hello("EHLO", "mx.example")),
        (b"", "helo [192.0.2.1] ", events.Hello("HELO", "[192.0.2.1]")),
        (b"", "EHLO under_score", events.Hello("EHLO", "under_score")),
        (READY, "MAIL FROM:<a@b.example>", events.Mail(Envelope(Mailbox("a", "b.example")))),
        (READY, "MAIL FROM:<>", events.Mail(Envelope(NULL))),
        (SENDER, "RCPT TO:<c@d.example>", events.Rcpt(Recipient(Mailbox("c", "d.example")))),
        (SENDER, "RCPT TO:<postMASTER>", events.Rcpt(Recipient(Mailbox("postMASTER", "")))),
        (b"", "RSET", events.Reset()),
        (b"", "noop\twith a tab", events.Faulty),
        (b"", "NOOP with\ta tab", events.Noop()),
        (b"", "QUIT ", events.Quit()),
        (b"", "VRFY Crispin ", events.Verify("Crispin")),
        (b"", "VRFY crispin SMTPUTF8", events.Verify("crispin")),
        (b"", "EXPN staff", events.Expand("staff")),
        (b"", "HELP", events.HelpAsked("")),
        (b"", "HELP MAIL", events.HelpAsked("MAIL")),
        (READY, "STARTTLS", events.StartTls()),
    ],
)
def test_each_command_is_its_event(before: bytes, line: str, event: object) -> None:
    """Every verb gives the event of its name with what was said."""
    host = Host()
    host.feed(before + line.encode() + b"\r\n")
    assert host.events[-1] == event or type(host.events[-1]) is event


@pytest.mark.parametrize("name", ["", "a b", "a(b", "<a>", "a;b", 'a"b', "a,b", "x" * 256])
def test_names_that_could_break_a_trace_field(name: str) -> None:
    """A hello whose name could end a comment or begin one is 501."""
    assert Host().feed(f"EHLO {name}\r\n".encode()).startswith(b"501 ")


@pytest.mark.rfc("2033", "4.1")
def test_each_protocol_has_its_hello() -> None:
    """LMTP has LHLO and neither EHLO nor HELO; SMTP the other way round; all else is the same."""
    assert set(VERBS) - set(LMTP_VERBS) == {"EHLO", "HELO"}
    assert set(LMTP_VERBS) - set(VERBS) == {"LHLO"}


@pytest.mark.parametrize("argument", [b"", b"x", b"-1", b"0x10", b"1 FIRST", b"1 LAST LAST", b"9" * 19, b"1_0"])
def test_a_chunk_of_unknown_size_ends_the_session(argument: bytes) -> None:
    """It is answered 421, and nothing behind it is read."""
    host = Host()
    assert host.feed(SENDER + b"BDAT " + argument + b"\r\nNOOP\r\n").split(b"\r\n")[-2].startswith(b"421 ")
    assert host.feed(b"NOOP\r\n") == b""
