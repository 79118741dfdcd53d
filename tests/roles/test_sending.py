"""SEND, SOML and SAML: the terminal gets what it can, and the mailbox never misses what it is promised."""

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mailnode.interfaces import Refused
from mailnode.mail.address import parse_mailbox
from mailnode.mail.envelope import Envelope, Manner, Notify, Recipient
from mailnode.mail.message import Peer
from mailnode.mail.outcome import Delayed
from mailnode.mail.quantity import Octets
from mailnode.mail.reply import Reply
from mailnode.roles.house import ReceptionSettings
from mailnode.roles.reception import MailReception
from mailnode.roles.sending import SendingTransaction
from tests.kit.classic import Host
from tests.kit.results import now

LOCAL = Peer("", hello="c.example")
STRANGER = Peer("192.0.2.1", hello="c.example")
CRISPIN, JONES = "crispin@foo.example", "jones@foo.example"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Make foo.example; crispin is active."""
    return Host(tmp_path)


def begin(host: Host, manner: Manner, *recipients: str, peer: Peer = LOCAL) -> SendingTransaction:
    """Open a transaction with recipients."""
    envelope = Envelope(parse_mailbox("a@bar.example"), manner=manner)
    transaction = now(host.reception.begin(peer, envelope, 0))
    assert isinstance(transaction, SendingTransaction)
    for address in recipients:
        assert now(transaction.add_recipient(Recipient(parse_mailbox(address)))).code == 250
    return transaction


def end(transaction: SendingTransaction, text: bytes = b"Subject: x\r\n\r\nhello\r\n") -> list[str]:
    """Write the content and give the answers."""
    transaction.write(text)
    return [str(reply) for reply in now(transaction.commit())]


def refusal(host: Host, manner: Manner, address: str, notify: Notify = Notify.UNSPECIFIED, peer: Peer = LOCAL) -> Reply:
    """Give what RCPT is refused with."""
    transaction = begin(host, manner, peer=peer)
    with pytest.raises(Refused) as refused:
        now(transaction.add_recipient(Recipient(parse_mailbox(address), notify)))
    return refused.value.reply


@pytest.mark.rfc("821", "3.4")
def test_send_shows_it_and_leaves_the_mailbox_alone(host: Host) -> None:
    """The user sees it; no mailbox and no queue does."""
    assert end(begin(host, Manner.SEND, CRISPIN)) == ["250 2.1.5 Shown on a terminal"]
    assert host.screens.shown == [(CRISPIN, b"Subject: x\r\n\r\nhello\r\n")]
    assert not host.mailboxes.messages
    assert not host.queue.entries


@pytest.mark.rfc("821", "3.4")
def test_send_is_450_when_the_user_is_not_active(host: Host) -> None:
    """At RCPT, and at the final dot when she has gone meanwhile or the courier breaks."""
    assert refusal(host, Manner.SEND, JONES).code == 450
    host.screens.gone.add(parse_mailbox(CRISPIN))
    assert end(begin(host, Manner.SEND, CRISPIN))[0].startswith("450 4.2.1")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("nobody@foo.example", 550),
        ("x@xyz.example", 550),
        ("example-people@foo.example", 550),
        ("away@foo.example", 550),
        ("fred@foo.example", 550),
        ("paul@foo.example", 551),
    ],
)
def test_send_reaches_users_of_this_host_only(host: Host, address: str, code: int) -> None:
    """Not lists, not addresses elsewhere, not whoever has moved."""
    assert refusal(host, Manner.SEND, address).code == code


@pytest.mark.rfc("821", "3.4")
def test_soml_is_terminal_or_mailbox(host: Host) -> None:
    """Who is active sees it, who is not finds it in the mailbox, and nobody gets it twice."""
    assert end(begin(host, Manner.SOML, CRISPIN)) == ["250 2.1.5 Shown on a terminal"]
    assert not host.mailboxes.messages
    answers = end(begin(host, Manner.SOML, CRISPIN, JONES))
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert answers[0].startswith("250 2.0.0 Accepted")
    assert [who for who, _ in host.screens.shown] == [CRISPIN, CRISPIN]
    assert len(host.mailboxes.messages) == 1


def test_a_broken_courier_is_a_delay(host: Host, lost_failures: list[dict[str, Any]]) -> None:
    """Our own bug shows nothing, is logged, and the mailbox has what SOML promises."""
    host.screens.breaks = True
    assert end(begin(host, Manner.SEND, CRISPIN))[0].startswith("450 4.2.1")
    assert end(begin(host, Manner.SOML, CRISPIN))[0].startswith("250 2.0.0 Accepted")
    assert len(host.mailboxes.messages) == 1
    assert len(lost_failures) == 2
    lost_failures.clear()


def test_soml_falls_back_to_the_mailbox(host: Host) -> None:
    """When the terminal does not take it after all, or the courier breaks, the mailbox has it."""
    host.screens.gone.add(parse_mailbox(CRISPIN))
    assert end(begin(host, Manner.SOML, CRISPIN))[0].startswith("250 2.0.0 Accepted")
    assert len(host.mailboxes.messages) == 1
    host.mailboxes.says["crispin"] = Delayed(Reply.of(452, "4.2.2", "full"))
    assert end(begin(host, Manner.SOML, CRISPIN))[0].startswith("452 4.2.2")


@pytest.mark.rfc("821", "3.4")
def test_saml_is_terminal_and_mailbox(host: Host) -> None:
    """The mailbox decides the answer; only what it has is shown."""
    assert end(begin(host, Manner.SAML, CRISPIN, JONES))[0].startswith("250 2.0.0 Accepted")
    assert [who for who, _ in host.screens.shown] == [CRISPIN]
    assert len(host.mailboxes.messages) == 1
    host.mailboxes.says["crispin"] = Delayed(Reply.of(452, "4.2.2", "full"))
    assert end(begin(host, Manner.SAML, CRISPIN))[0].startswith("452")
    assert len(host.screens.shown) == 1


def test_mail_for_others_goes_its_way(host: Host) -> None:
    """SOML and SAML to a list or to elsewhere are mail; refusals are those of MAIL."""
    for manner in (Manner.SOML, Manner.SAML):
        assert end(begin(host, manner, "x@xyz.example", "example-people@foo.example"))[0].startswith("250")
        assert refusal(host, manner, "nobody@foo.example").code == 550
    assert not host.screens.shown
    assert host.queue.entries


def test_a_report_of_success_needs_a_mailbox(host: Host) -> None:
    """SEND cannot give it, SOML not now, SAML speaks of the mailbox."""
    assert refusal(host, Manner.SEND, CRISPIN, Notify.SUCCESS).code == 555
    assert refusal(host, Manner.SOML, CRISPIN, Notify.SUCCESS).code == 455
    transaction = begin(host, Manner.SAML)
    now(transaction.add_recipient(Recipient(parse_mailbox(CRISPIN), Notify.SUCCESS)))
    assert end(transaction)[0].startswith("250")


def test_strangers_do_not_write_to_terminals(host: Host) -> None:
    """Unless the settings open them to all; an account will do."""
    envelope = Envelope(parse_mailbox("a@bar.example"), manner=Manner.SEND)
    with pytest.raises(Refused) as refused:
        now(host.reception.begin(STRANGER, envelope, 0))
    assert refused.value.reply.code == 550
    host.screens.is_open_to_all = True
    assert end(begin(host, Manner.SEND, CRISPIN, peer=STRANGER)) == ["250 2.1.5 Shown on a terminal"]
    assert refusal(host, Manner.SEND, "x@xyz.example", peer=STRANGER).code == 550


def test_too_much_is_552_and_a_reset_forgets(tmp_path: Path) -> None:
    """The limit of messages counts here too, and what was begun can be given up."""
    host = Host(tmp_path, reception=ReceptionSettings(max_size=Octets(100)))
    assert end(begin(host, Manner.SEND, CRISPIN), b"x" * 101)[0].startswith("552 5.3.4")
    begin(host, Manner.SAML, CRISPIN).abort()
    assert not host.screens.shown
    with pytest.raises(Refused):
        now(host.reception.begin(LOCAL, Envelope(parse_mailbox("a@b.example"), manner=Manner.SEND), 1000))


def test_a_house_without_terminals_refuses(host: Host) -> None:
    """Should the command get that far, it is 502."""
    reception = MailReception(evolve(host.house, terminals=None), ())
    with pytest.raises(Refused) as refused:
        now(reception.begin(LOCAL, Envelope(parse_mailbox("a@b.example"), manner=Manner.SEND), 0))
    assert refused.value.reply.code == 502
