"""Delivery status notifications, read back by parsers we did not write."""

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from flufl.bounce import all_failures
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail import message as messages
from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.reply import Reply, Status
from mailnode.mail.report import Action, Kind, Report, Reported, Returned, make_report, take_returned
from mailnode.mail.report_returned import MOST_HEADER, returned_part

TODAY = 1_800_000_000.0
ANN = Mailbox("ann", "sender.example")
BOB = Recipient(Mailbox("bob", "good.example"))
NO_USER = Reply.of(550, "5.1.1", "No such user")
ORIGINAL = b"From: ann@sender.example\r\nSubject: hello\r\n\r\nThe body.\r\n"


def report(
    *recipients: Reported, kind: Kind = Kind.FAILURE, returned: Returned | None = None, **envelope: Any
) -> Report:
    """Make a report about a message from Ann."""
    about = messages.Message("Qabout", Envelope(envelope.pop("sender", ANN), **envelope), Content(ORIGINAL), TODAY - 60)
    some = recipients or (Reported(BOB, Action.FAILED, NO_USER, "mx.good.example", TODAY - 5),)
    return Report(kind, about, some, "mx.example.org", "Qreport", TODAY, returned or Returned(ORIGINAL, is_whole=True))


def read(octets: bytes) -> Message:
    """Parse as Python does by default."""
    return message_from_bytes(octets)


def fields_of(octets: bytes) -> list[Message]:
    """Give the groups of fields of the second part."""
    part = read(octets).get_payload(1)
    assert isinstance(part, Message)
    groups = part.get_payload()
    assert isinstance(groups, list)
    return groups  # type: ignore[return-value]


@pytest.mark.rfc("3464", "2")
@pytest.mark.rfc("6522", "3")
def test_every_field() -> None:
    """A failure report has the header, the three parts and the fields that the RFCs name, each as given."""
    recipient = Recipient(BOB.forward_path, original="rfc822;Robert@good.example")
    octets = make_report(
        report(Reported(recipient, Action.FAILED, NO_USER, "mx.good.example", TODAY - 5), envelope_id="EN+1 2")
    )
    parsed = read(octets)
    assert parsed.get_content_type() == "multipart/report"
    assert parsed.get_param("report-type") == "delivery-status"
    assert parsed["From"] == "Mail Delivery System <MAILER-DAEMON@mx.example.org>"
    assert parsed["To"] == "<ann@sender.example>"
    assert parsed["Auto-Submitted"] == "auto-replied"
    assert parsed["Message-ID"] == "<Qreport@mx.example.org>"
    assert parsedate_to_datetime(parsed["Date"]).timestamp() == TODAY
    kinds = [part.get_content_type() for part in parsed.get_payload()]  # type: ignore[union-attr]
    assert kinds == ["text/plain", "message/delivery-status", "message/rfc822"]
    of_message, of_recipient = fields_of(octets)
    assert dict(of_message.items()) == {
        "Original-Envelope-Id": "EN+1 2",
        "Reporting-MTA": "dns; mx.example.org",
        "X-Mailnode-Queue-Id": "Qabout",
        "Arrival-Date": "Fri, 15 Jan 2027 07:59:00 -0000",
    }
    assert dict(of_recipient.items()) == {
        "Original-Recipient": "rfc822; Robert@good.example",
        "Final-Recipient": "rfc822; bob@good.example",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.good.example",
        "Diagnostic-Code": "smtp; 550 5.1.1 No such user",
        "Last-Attempt-Date": "Fri, 15 Jan 2027 07:59:55 -0000",
    }


def test_without_defects() -> None:
    """Python's strict parser finds no defect, and the message that is given back is the same to the octet."""
    octets = make_report(report())
    parsed = message_from_bytes(octets, policy=policy.SMTP, _class=EmailMessage)
    assert not parsed.defects
    assert ORIGINAL in octets
    assert octets.isascii()
    assert b"\n" not in octets.replace(b"\r\n", b"")


def test_a_bounce_parser_understands() -> None:
    """flufl.bounce finds the failed and the delayed addresses."""
    temporary, permanent = all_failures(read(make_report(report())))
    assert not temporary
    assert set(permanent) == {b"bob@good.example"}
    late = Reported(BOB, Action.DELAYED, Reply.of(451, "4.4.1", "No answer"), "", TODAY, TODAY + 9)
    temporary, permanent = all_failures(read(make_report(report(late, kind=Kind.DELAY))))
    assert set(temporary) == {b"bob@good.example"}
    assert not permanent


@pytest.mark.rfc("3461", "9.2")
def test_a_reply_of_several_lines_is_transcribed() -> None:
    """Each line keeps its code; a blank stands where a line ended."""
    reply = Reply(554, ("we do not like", "what you write"), Status(5, 7, 1))
    of_recipient = fields_of(make_report(report(Reported(BOB, Action.FAILED, reply, "mx.good.example", TODAY))))[1]
    assert of_recipient["Diagnostic-Code"] == "smtp; 554-5.7.1 we do not like 554 5.7.1 what you write"


@pytest.mark.rfc("3461", "9.3")
@pytest.mark.parametrize(
    ("remote", "named"),
    [
        ("mx.good.example", "dns; mx.good.example"),
        ("192.0.2.7", "dns; [192.0.2.7]"),
        ("2001:db8::7", "dns; [IPv6:2001:db8::7]"),
        ("unix:/run/lmtp", "x-unix; /run/lmtp"),
    ],
)
def test_the_name_of_who_said_it(remote: str, named: str) -> None:
    """A host by its name, an address as a literal, a socket as what it is."""
    of_recipient = fields_of(make_report(report(Reported(BOB, Action.FAILED, NO_USER, remote, TODAY))))[1]
    assert of_recipient["Remote-MTA"] == named


@pytest.mark.rfc("3464", "2.3.9")
def test_will_retry_until() -> None:
    """A delay says how long the attempts go on; our own words are not called SMTP's."""
    late = Reported(BOB, Action.DELAYED, Reply.of(451, "4.4.1", "No answer"), "", TODAY, TODAY + 86400)
    of_recipient = fields_of(make_report(report(late, kind=Kind.DELAY)))[1]
    assert of_recipient["Will-Retry-Until"] == "Sat, 16 Jan 2027 08:00:00 -0000"
    assert of_recipient["Diagnostic-Code"] == "x-mailnode; 451 4.4.1 No answer"
    assert "Remote-MTA" not in of_recipient


@pytest.mark.parametrize(
    ("action", "reply", "expired", "status"),
    [
        (Action.FAILED, Reply(550, ("no",)), False, Status(5, 0, 0)),
        (Action.FAILED, Reply.of(550, "4.7.1", "confused"), False, Status(5, 7, 1)),
        (Action.FAILED, Reply.of(451, "4.2.1", "busy"), True, Status(4, 4, 7)),
        (Action.DELAYED, Reply.of(451, "4.2.1", "busy"), False, Status(4, 2, 1)),
        (Action.RELAYED, Reply(250, ("ok",)), False, Status(2, 0, 0)),
        (Action.EXPANDED, Reply.of(250, "2.1.5", "ok"), False, Status(2, 1, 5)),
        (Action.FAILED, Reply(354, ("what",)), False, Status(5, 0, 0)),
    ],
)
@pytest.mark.rfc("3464", "2.3.4")
def test_status_agrees_with_what_happened(action: Action, reply: Reply, expired: bool, status: Status) -> None:
    """The class of the Status is that of the code, whatever a confused peer says."""
    assert Reported(BOB, action, reply, has_expired=expired).status == status


HOSTILE = st.text(max_size=2000) | st.sampled_from(
    [
        "\r\nX-Forged: yes",
        "a\r\n\r\nb",
        "\x00\x1b[2J",
        "\u2028x",
        "Ä" * 3000,
        "w" * 5000,
        "=?utf-8?q?x?=",
        "--Qreport.0/report",
    ]
)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.booleans())
def test_hostile_values(said: str, original: str, envelope_id: str, remote: str, is_utf8: bool) -> None:
    """Nothing that comes from others makes a field, a line, a part, or a line that is too long."""
    recipient = evolve(BOB, original="rfc822;" + original)
    reported = Reported(recipient, Action.FAILED, Reply(550, (said, said)), remote, TODAY)
    octets = make_report(report(reported, envelope_id=envelope_id, smtputf8=is_utf8))
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert not any(octet < 32 and octet not in b"\r\n" for octet in octets)
    assert octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n")
    assert octets.isascii() or is_utf8
    parsed = read(octets)
    payload = parsed.get_payload()
    assert isinstance(payload, list)
    assert len(payload) == 3
    assert b"\r\nX-Forged:" not in octets
    if not is_utf8:
        names = [name for group in fields_of(octets) for name in group.keys()]  # noqa: SIM118 - a Message's keys repeat
        assert len(names) == len(set(names))
        assert set(names) <= {
            "Original-Envelope-Id", "Reporting-MTA", "X-Mailnode-Queue-Id", "Arrival-Date", "Original-Recipient",
            "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date",
        }  # fmt: skip


def test_a_boundary_that_is_in_the_message() -> None:
    """A message that holds our boundary does not end its part."""
    inside = b"Subject: x\r\n\r\n--Qreport.0/report\r\n"
    octets = make_report(report(returned=Returned(inside, is_whole=True)))
    assert read(octets).get_boundary() == "Qreport.1/report"


@pytest.mark.rfc("6533", "3")
def test_utf8_addresses_in_an_ascii_report() -> None:
    """Where the sender did not ask for SMTPUTF8, an address that is not ASCII is written with code points."""
    jorg = Reported(Recipient(Mailbox("jörg+x", "good.example")), Action.FAILED, NO_USER)
    octets = make_report(report(jorg))
    assert octets.isascii()
    assert fields_of(octets)[1]["Final-Recipient"] == r"utf-8; j\x{F6}rg\x{2B}x@good.example"


@pytest.mark.rfc("6533", "4")
def test_utf8_report() -> None:
    """For an SMTPUTF8 message the report is UTF-8 and its parts are of the global types."""
    jorg = Reported(Recipient(Mailbox("jörg", "good.example")), Action.FAILED, NO_USER)
    header = "From: ånn@sender.example\r\n".encode()
    sender = Mailbox("ånn", "sender.example")
    octets = make_report(report(jorg, returned=Returned(header, is_whole=False), smtputf8=True, sender=sender))
    assert "Final-Recipient: utf-8; jörg@good.example\r\n".encode() in octets
    assert "\r\nTo: <ånn@sender.example>\r\n".encode() in octets
    kinds = [part.get_content_type() for part in read(octets).get_payload()]  # type: ignore[union-attr]
    assert kinds == ["text/plain", "message/global-delivery-status", "message/global-headers"]
    octets = make_report(report(jorg, returned=Returned(header + b"\r\n", is_whole=True), smtputf8=True))
    assert b"Content-Type: message/global\r\n" in octets


def test_header_only_is_safe_in_seven_bits() -> None:
    """A header with octets that are not ASCII, or lines that are too long, comes back in quoted-printable."""
    for header in (b"Subject: \xe4\r\n", b"Subject: " + b"x" * 2000 + b"\r\n"):
        octets = make_report(report(returned=Returned(header, is_whole=False)))
        assert octets.isascii()
        part = read(octets).get_payload(2)
        assert isinstance(part, Message)
        assert part.get_payload(decode=True) == header
    plain = make_report(report(returned=Returned(b"Subject: x\r\n", is_whole=False)))
    assert b"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 7bit\r\n" in plain


def test_without_the_message() -> None:
    """A report whose message cannot be read has two parts."""
    octets = make_report(evolve(report(), returned=None))
    assert len(read(octets).get_payload()) == 2


def test_words_for_people() -> None:
    """The first part says what happened, who said it and what to do, in lines that fit a terminal."""
    full = Reported(BOB, Action.FAILED, Reply.of(452, "4.2.2", "Mailbox full"), "mx.good.example", has_expired=True)
    octets = make_report(report(Reported(BOB, Action.FAILED, NO_USER, "mx.good.example"), full))
    text = read(octets).get_payload(0).get_payload()  # type: ignore[union-attr]
    assert isinstance(text, str)
    assert "<bob@good.example>: not delivered\n  mx.good.example said: 550 5.1.1 No such user\n" in text.replace(
        "\r", ""
    )
    assert "typing error" in text
    assert "It was tried for 1m." in text
    assert "It is attached." in text
    assert max(map(len, text.splitlines())) <= 76


def test_take_returned(tmp_path: Path) -> None:
    """A small message comes back whole when it can travel; else its header, and no more than fits."""
    assert take_returned(Content(ORIGINAL), whole_up_to=1000) == Returned(ORIGINAL, is_whole=True)
    head = ORIGINAL.partition(b"\r\n\r\n")[0] + b"\r\n"
    assert take_returned(Content(ORIGINAL), whole_up_to=10) == Returned(head, is_whole=False)
    for bad in (b"\0", b"a\nb", b"a\rb", b"x" * 1000):
        assert take_returned(Content(ORIGINAL + bad), whole_up_to=9999) == Returned(head, is_whole=False)
    assert take_returned(Content(b"\r\nbody"), whole_up_to=0) == Returned(b"", is_whole=False)
    assert take_returned(Content(b"no: end"), whole_up_to=0) == Returned(b"no: end", is_whole=False)
    path = tmp_path / "content"
    path.write_bytes(b"A: b\r\n" * 100_000)
    cut = take_returned(Content(b"", path, 600_000), whole_up_to=0).octets
    assert len(cut) <= MOST_HEADER
    assert cut.endswith(b"b\r\n")


def test_quoted_printable_in_a_report_has_crlf() -> None:
    """Also where the header that is given back has no line end from which the style could be learned."""
    octets = returned_part(Returned(b"\xff" * 200 + b"." * 200, is_whole=False), is_utf8=False)
    assert octets.count(b"\n") == octets.count(b"\r\n") > 5


@pytest.mark.rfc("4865", "5")
@pytest.mark.rfc("2852", "5")
def test_wishes_for_the_time_are_told() -> None:
    """What was held and by when it was wanted stand among the fields of the message."""
    extra = (("HOLDUNTIL", "2027-01-15T08:00:00Z"), ("BY", "60;R"))
    of_message = fields_of(make_report(report(extra=extra)))[0]
    assert of_message["Future-Release-Request"] == "until;2027-01-15T08:00:00Z"
    assert parsedate_to_datetime(of_message["Deliver-By-Date"]).timestamp() == TODAY + 60
    assert fields_of(make_report(report()))[0]["Deliver-By-Date"] is None
