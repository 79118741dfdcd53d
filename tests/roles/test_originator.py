"""Submission: who may send as whom, how much, and what is made of the message on its way in."""

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mailnode.interfaces import Refused
from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.reply import Reply
from mailnode.mail.wishes import moment_text
from mailnode.roles.originator_completing import MAX_HEADER
from mailnode.roles.originator_limits import Limits
from mailnode.roles.originator_settings import SubmissionSettings
from mailnode.roles.reception import MailReception
from tests.kit.results import now
from tests.roles.test_transaction import Stage, _wait

ANN = Peer("192.0.2.1", 4000, "submission", "submission", account="ann@ours.example")
NOBODY = evolve(ANN, account="")
LOCAL = evolve(NOBODY, address="")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Give a door with a house behind it."""
    return Stage(tmp_path)


def door(stage: Stage, limits: Limits | None = None, **settings: Any) -> MailReception:
    """Give the stage a door with these settings."""
    submission = SubmissionSettings(**settings)
    limits = limits or Limits()
    limits.apply(submission)
    stage.reception = MailReception(
        stage.house, (), submission=submission, limits=limits, max_sizes={"small": Octets(9000)}
    )
    return stage.reception


def begin(stage: Stage, sender: str, peer: Peer = ANN, **envelope: Any) -> Any:
    """Say MAIL; gives the transaction, or the reply that refuses it."""
    path = parse_mailbox(sender) if "@" in sender else Mailbox(sender, "")
    try:
        return now(stage.reception.begin(peer, Envelope(path, **envelope), 0))
    except Refused as refused:
        return refused.reply


def sent(stage: Stage, content: bytes, sender: str = "ann@ours.example", peer: Peer = ANN, step: int = 10_000) -> bytes:
    """Send a message to ann and give it as it was delivered, without our trace field; or the refusal."""
    transaction = begin(stage, sender, peer)
    now(transaction.add_recipient(Recipient(parse_mailbox("ann@ours.example"))))
    for start in range(0, len(content), step):
        pending = transaction.write(content[start : start + step])
        if pending is not None:
            now(_wait(pending))
    (reply,) = now(transaction.commit())
    if reply.code != 250:
        return str(reply).encode()
    whole = stage.mailboxes.requests[-1].message.content.read()
    return whole[whole.index(b"+0000\r\n") + 7 :] if b"+0000\r\n" in whole else whole.partition(b"\r\n\t")[2]


@pytest.mark.rfc("6409", "6.1")
@pytest.mark.parametrize(
    ("check", "sender", "is_allowed"),
    [
        ("account", "ann@ours.example", True),
        ("account", "ANN@Ours.Example", True),
        ("account", "ann+shop@ours.example", True),
        ("account", "both@ours.example", True),
        ("account", "staff@ours.example", True),
        ("account", "", True),
        ("account", "ann", True),
        ("account", "bob@ours.example", False),
        ("account", "away@ours.example", False),
        ("account", "owner-staff@ours.example", False),
        ("account", "nobody@ours.example", False),
        ("account", "ann@far.example", False),
        ("domain", "bob@ours.example", True),
        ("domain", "ann@far.example", False),
        ("none", "ann@far.example", True),
    ],
)
def test_the_sender_is_the_accounts(stage: Stage, check: Any, sender: str, *, is_allowed: bool) -> None:
    """Its address, with a tag, aliases to it, and the null one; by setting its domain's, or any."""
    door(stage, sender_check=check)
    said = begin(stage, sender)
    if is_allowed:
        assert not isinstance(said, Reply)
    else:
        assert (said.code, str(said.status)) == (553, "5.7.1")


def test_who_is_trusted_by_address_may_do_without_an_account(stage: Stage) -> None:
    """A local socket and trusted networks suffice unless the settings say otherwise; nothing is asked of the sender then."""
    door(stage)
    assert not isinstance(begin(stage, "any@far.example", LOCAL), Reply)
    assert begin(stage, "any@far.example", NOBODY).code == 530
    door(stage, trust_networks=False)
    assert begin(stage, "any@far.example", LOCAL).code == 530


@pytest.mark.rfc("6409", "8")
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_the_content_is_completed_however_it_is_cut(stage: Stage, step: int) -> None:
    """Header and body come in blocks of any size; a body of any size goes through as it is."""
    door(stage)
    body = b"\r\nBcc: body\r\n" + b"x" * 500 + b"\r\n"
    made = sent(stage, b"Subject: x\r\nBcc: y\r\n" + body, step=step)
    assert made.startswith(b"Subject: x\r\nDate: ")
    assert b"\r\nFrom: ann@ours.example\r\nMessage-ID: <" in made
    assert b"@mx.ours.example>\r\n" in made
    assert made.endswith(b">\r\n" + body)


def test_large_bodies_and_messages_without_a_header_go_through(stage: Stage) -> None:
    """Beyond what memory holds, and where no field ever comes."""
    door(stage)
    body = b"no header\r\n" * 30_000
    assert sent(stage, body).endswith(b">\r\n\r\n" + body)
    assert sent(stage, b"").endswith(b">\r\n\r\n")


def test_a_header_without_an_end_is_refused(stage: Stage) -> None:
    """A header section beyond the limit is 552 5.3.4, in one block or many, and nothing is kept."""
    door(stage)
    field = b"X: " + b"y" * 70 + b"\r\n"
    for step in (10_000, 10 * MAX_HEADER):
        said = sent(stage, field * (MAX_HEADER // len(field) + 20) + b"\r\nbody", step=step)
        assert said == b"552 5.3.4 The message has too large a header"
    assert stage.mailboxes.requests == []
    large = sent(stage, b"A: b\r\n\r\n" + b"x" * 2 * MAX_HEADER, step=10 * MAX_HEADER)
    assert large.endswith(b"\r\n\r\n" + b"x" * 2 * MAX_HEADER)


@pytest.mark.rfc("6409", "8.1")
@pytest.mark.parametrize(
    ("header", "sender"),
    [
        (b"From: ann@ours.example\r\n", b""),
        (b"From: Ann <ann+x@ours.example>\r\n", b""),
        (b"From: bob@ours.example\r\n", b"ann@ours.example"),
        (b"From: nonsense\r\n", b"ann@ours.example"),
        (b"From: bob@ours.example\r\nSender: both@ours.example\r\n", b""),
        (b"From: bob@ours.example\r\nSender: eve@e.example\r\n", b"ann@ours.example"),
        (b"From: ann@ours.example, both@ours.example\r\n", b"ann@ours.example"),
        (b"From: ann@ours.example\r\nResent-From: bob@ours.example\r\n", b"ann@ours.example"),
    ],
)
def test_a_sender_is_added_where_from_is_anothers(stage: Stage, header: bytes, sender: bytes) -> None:
    """Who wrote in another's name, or one of several, is named; who named itself is not named again."""
    door(stage)
    made = sent(stage, header + b"\r\n")
    added = (b"Resent-Sender: " if b"Resent-" in header else b"Sender: ") + sender + b"\r\n"
    assert made.count(b"Sender: ") == (1 if sender or b"Sender: " in header else 0)
    assert not sender or made.endswith(added + b"\r\n")
    door(stage, add_sender=False)
    if b", " not in header:
        assert sent(stage, header + b"\r\n").count(b"Sender: ") == header.count(b"Sender: ")


@pytest.mark.rfc("6409", "6.2")
def test_addresses_without_a_domain_get_one(stage: Stage) -> None:
    """In RCPT and in fields: the account's domain, or the one of the settings; Postmaster stays."""
    door(stage)
    transaction = begin(stage, "ann")
    for name in ("bob", "Postmaster"):
        now(transaction.add_recipient(Recipient(Mailbox(name, ""))))
    transaction.write(b"To: bob\r\n")
    now(transaction.commit())
    assert "bob@ours.example" in stage.mailboxes.reached
    assert b"To: bob@ours.example\r\n" in stage.mailboxes.requests[-1].message.content.read()
    door(stage, default_domain="far.example")
    assert begin(stage, "ann").code == 553


def test_too_much_is_told_when_to_come_again(stage: Stage) -> None:
    """Each account has its messages and recipients; what is refused is not counted, and a reload forgets nothing."""
    limits = Limits()
    door(stage, limits, account_messages=2, account_recipients=1, rate_period=Seconds(600))
    first = begin(stage, "ann@ours.example")
    now(first.add_recipient(Recipient(parse_mailbox("ann@ours.example"))))
    with pytest.raises(Refused, match=r"450 4\.7\.1 Too many recipients from this account; try again in 10 minutes"):
        now(first.add_recipient(Recipient(parse_mailbox("bob@ours.example"))))
    begin(stage, "ann@ours.example")
    door(stage, limits, account_messages=2, rate_period=Seconds(600))
    said = begin(stage, "ann@ours.example")
    assert str(said) == "450 4.7.1 Too many messages from this account; try again in 5 minutes"
    assert not isinstance(begin(stage, "bob@ours.example", evolve(ANN, account="bob@ours.example")), Reply)


def test_a_listener_may_have_a_size_of_its_own(stage: Stage) -> None:
    """Its bound counts instead of the general one."""
    door(stage)
    small = evolve(ANN, listener="small")
    assert sent(stage, b"\r\n" + b"x" * 10_000, peer=small) == b"552 5.3.4 Message too big"
    with pytest.raises(Refused, match="552"):
        now(stage.reception.begin(small, Envelope(NULL), 9001))


@pytest.mark.rfc("4865", "4")
def test_what_is_held_goes_through_the_queue(stage: Stage) -> None:
    """HOLDFOR becomes a moment; nothing of it is delivered at the door, and its time to give up begins with its release."""
    door(stage, max_hold=Seconds(1000))
    clock = stage.house.clock.seconds()
    for wish in (("HOLDFOR", "600"), ("HOLDUNTIL", moment_text(clock + 600))):
        transaction = begin(stage, "ann@ours.example", extra=(wish,))
        now(transaction.add_recipient(Recipient(parse_mailbox("ann@ours.example"))))
        (reply,) = now(transaction.commit())
        assert reply.code == 250
        entry = stage.queue.entries.pop()
        ((keyword, until),) = entry.message.envelope.extra
        assert keyword == "HOLDUNTIL"
        assert until in (moment_text(clock + 600), moment_text(clock + 601))
        assert entry.expires >= clock + 600 + stage.house.give_up(parse_mailbox("ann@ours.example"))
    assert stage.mailboxes.requests == []
    too_far = begin(stage, "ann@ours.example", extra=(("HOLDUNTIL", moment_text(clock + 1100)),))
    assert str(too_far) == "501 5.5.4 A message is held for at most 1000 seconds"
    past = begin(stage, "ann@ours.example", extra=(("HOLDUNTIL", moment_text(clock)),))
    now(past.add_recipient(Recipient(parse_mailbox("ann@ours.example"))))
    now(past.commit())
    assert len(stage.mailboxes.requests) == 1


def test_settings_that_make_no_sense_are_told() -> None:
    """Negative limits, a period of nothing and what is no domain are faults."""
    for wrong in ({"account_messages": -1}, {"rate_period": Seconds(0)}, {"default_domain": "no domain"}):
        with pytest.raises(ValueError, match=r"."):
            SubmissionSettings(**wrong)
