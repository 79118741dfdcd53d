"""Every reply code of RFC 821 and RFC 5321 that a server can give is given where it belongs (5321 section 4.2.3).

``ROWS`` is the audit: a code with its enhanced status, the clause it comes from, and how to hear it from a host in memory.
The codes of AUTH and TLS are held by the tests of authentication (``ELSEWHERE``).
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransportWithDisconnection

from mailnode.interfaces import SpoolTrouble
from mailnode.mail.outcome import Failed
from mailnode.mail.reply import Reply
from tests.kit.classic import MAX_SIZE, Host

HELLO = "EHLO bar.example"
MAIL = "MAIL FROM:<a@bar.example>"
JONES = "RCPT TO:<jones@foo.example>"
SENT = f"{HELLO}\n{MAIL}\n{JONES}\nDATA"

ELSEWHERE = frozenset({530, 534, 535, 538})
"""Codes of RFC 4954 and RFC 3207, given by what these say and not by the classic protocol."""

OF_THE_RFCS = frozenset(
    {211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452, 455, 500, 501, 502, 503, 504, *range(550, 556)}
)
"""RFC 821 section 4.2.2 and RFC 5321 section 4.2.3."""


@frozen
class Row:
    """One way to hear a code."""

    said: str
    """How the last reply begins."""
    clause: str
    hear: Callable[[Host], str]
    """Gives the last line of what was heard."""


def says(lines: str, address: str = "127.0.0.1") -> Callable[[Host], str]:
    """Say lines, and hear the last line of what comes back."""

    def hear(host: Host) -> str:
        call = host.call(address)
        return [call.reply(line) for line in lines.split("\n")][-1]

    return hear


def greeted(host: Host) -> str:
    """Hear the greeting."""
    return host.call().greeting.decode()


def waited_for(host: Host) -> str:
    """Say nothing for too long."""
    call = host.call()
    for _ in range(400):
        host.clock.advance(1)
    return call.reply("")


def told_to_leave(host: Host) -> str:
    """Be there when the host goes down."""
    call = host.call()
    Deferred.fromCoroutine(host.receivers.stop())
    return call.reply("")


def broken(host: Host) -> str:
    """Meet a disk that cannot be written."""
    host.queue.trouble = SpoolTrouble("input/output error")
    return says(f"{HELLO}\n{MAIL}\nRCPT TO:<x@xyz.example>\nDATA\nx\n.")(host)


def full(host: Host) -> str:
    """Find the disk full."""
    host.queue.trouble = SpoolTrouble("no room", is_full=True)
    return says(f"{HELLO}\n{MAIL}\nRCPT TO:<x@xyz.example>\nDATA\nx\n.")(host)


def over_quota(host: Host) -> str:
    """Find the mailbox full."""
    host.mailboxes.says["jones"] = Failed(Reply.of(552, "5.2.2", "over quota"))
    return says(SENT + "\nx\n.")(host)


def turned_away(host: Host) -> str:
    """Be greeted with 554, then try anyway."""
    receiver = host.receivers.receive("192.0.2.1", 4000)
    receiver.turned_away = Reply.of(554, "5.7.1", "no")
    line = StringTransportWithDisconnection()
    line.protocol = receiver
    receiver.makeConnection(line)
    greeting: bytes = line.value()
    return greeting.decode()


ROWS = [
    Row("211 2.0.0", "4.3.2", says("HELP STATUS")),
    Row("214 2.0.0", "4.1.1.8", says("HELP")),
    Row("214 2.0.0", "4.1.1.8", says("HELP RCPT")),
    Row("220 foo.example", "4.3.1", greeted),
    Row("221 2.0.0", "4.1.1.10", says("QUIT")),
    Row("250 ", "4.1.1.1", says("HELO bar.example")),
    Row("250 2.1.0", "4.1.1.2", says(f"{HELLO}\n{MAIL}")),
    Row("250 2.1.5", "4.1.1.3", says(f"{HELLO}\n{MAIL}\n{JONES}")),
    Row("250 2.0.0", "4.1.1.4", says(f"{SENT}\nx\n.")),
    Row("250 2.0.0", "4.1.1.5", says("RSET")),
    Row("250 2.0.0", "4.1.1.9", says("NOOP")),
    Row("250 2.0.0", "4.1.1.9", says("NOOP with words")),
    Row("250 2.1.5", "4.1.1.6", says("VRFY jones")),
    Row("250 2.1.5", "4.1.1.7", says("EXPN example-people")),
    Row("251 2.1.5", "3.4", says(f"{HELLO}\n{MAIL}\nRCPT TO:<fred@foo.example>")),
    Row("251 2.1.5", "3.5.3", says("VRFY fred")),
    Row("252 2.5.2", "3.5.3", says("VRFY x@xyz.example")),
    Row("252 2.5.2", "7.3", says("VRFY jones", "192.0.2.1")),
    Row("252 2.5.2", "7.3", says("EXPN example-people", "192.0.2.1")),
    Row("354 ", "4.1.1.4", says(SENT)),
    Row("421 4.4.2", "4.5.3.2", waited_for),
    Row("421 4.3.2", "3.8", told_to_leave),
    Row("450 4.2.1", "4.2.3", says(f"{HELLO}\nSEND FROM:<a@bar.example>\n{JONES}")),
    Row("451 4.3.0", "4.2.3", broken),
    Row("452 4.3.1", "4.2.3", full),
    Row("452 4.5.3", "4.5.3.1.10", says(f"{HELLO}\n{MAIL}" + f"\n{JONES}" * 5)),
    Row(
        "455 4.3.3", "4.2.3", says(f"{HELLO}\nSOML FROM:<a@bar.example>\nRCPT TO:<crispin@foo.example> NOTIFY=SUCCESS")
    ),
    Row("500 5.5.2", "4.2.4", says("HLEO")),
    Row("500 5.5.2", "4.5.3.1.4", says("NOOP " + "x" * 3000)),
    Row("500 5.5.2", "2.3.8", says("NOOP\x00")),
    Row("501 5.5.4", "4.1.1.1", says("EHLO")),
    Row("501 5.5.4", "4.1.1.2", says(f"{HELLO}\nMAIL TO:<a@bar.example>")),
    Row("501 5.5.4", "4.1.1.5", says("RSET now")),
    Row("501 5.5.4", "4.1.1.6", says("VRFY")),
    Row("501 5.5.4", "4.1.1.7", says("EXPN")),
    Row("501 5.5.4", "4.1.1.10", says("QUIT now")),
    Row("502 5.5.1", "4.2.4", says("BURL x")),
    Row("502 5.5.1", "F.1", says("TURN")),
    Row("503 5.5.1", "4.1.4", says(MAIL)),
    Row("503 5.5.1", "4.1.4", says(f"{HELLO}\n{JONES}")),
    Row("503 5.5.1", "3.3", says(f"{HELLO}\n{MAIL}\n{MAIL}")),
    Row("503 5.5.1", "3.3", says(f"{HELLO}\n{MAIL}\nDATA")),
    Row("504 5.5.4", "4.3.2", says("HELP TURN")),
    Row("550 5.1.1", "3.3", says(f"{HELLO}\n{MAIL}\nRCPT TO:<nobody@foo.example>")),
    Row("550 5.7.1", "3.6.2", says(f"{HELLO}\n{MAIL}\nRCPT TO:<x@xyz.example>", "192.0.2.1")),
    Row("550 5.1.1", "3.5.3", says("VRFY nobody")),
    Row("550 5.1.1", "3.5.2", says("EXPN jones")),
    Row("551 5.1.6", "3.4", says(f"{HELLO}\n{MAIL}\nRCPT TO:<paul@foo.example>")),
    Row("552 5.3.4", "4.5.3.1.7", says(f"{HELLO}\nMAIL FROM:<a@bar.example> SIZE={MAX_SIZE + 1}")),
    Row("552 5.3.4", "4.5.3.1.7", says(SENT + "\n" + "x\n" * MAX_SIZE + ".")),
    Row("552 5.2.2", "4.2.3", over_quota),
    Row("553 5.1.7", "4.1.2", says(f"{HELLO}\nMAIL FROM:<a..b@bar.example>")),
    Row("553 5.1.3", "4.1.2", says(f"{HELLO}\n{MAIL}\nRCPT TO:<a..b@bar.example>")),
    Row("553 5.1.4", "3.5.1", says("VRFY kim")),
    Row("554 5.7.1", "3.1", turned_away),
    Row("554 5.5.1", "3.3", says(f"{HELLO}\n{MAIL}\nRCPT TO:<nobody@foo.example>\nDATA")),
    Row("554 5.4.6", "6.3", says(SENT + "\n" + "Received: x\n" * 101 + "\nx\n.")),
    Row("555 5.5.4", "4.1.1.11", says(f"{HELLO}\nMAIL FROM:<a@bar.example> XYZZY=1")),
    Row("555 5.5.4", "4.1.1.11", says(f"{HELLO}\n{MAIL}\n{JONES} XYZZY")),
]


@pytest.mark.rfc("5321", "4.2.3")
@pytest.mark.rfc("821", "4.2.2")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.said.strip()} ({row.clause})")
def test_a_code_is_given_where_it_belongs(tmp_path: Path, row: Row) -> None:
    """What was said is answered with this code and status."""
    host = Host(tmp_path)
    host.receivers.doStart()
    assert row.hear(host).startswith(row.said)


@pytest.mark.rfc("5321", "4.2.3")
def test_no_code_is_missing() -> None:
    """The rows are all codes of the two standards."""
    assert {int(row.said[:3]) for row in ROWS} == OF_THE_RFCS
    assert not OF_THE_RFCS & ELSEWHERE
