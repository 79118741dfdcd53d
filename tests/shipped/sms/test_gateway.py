"""Tests of the SMS gateway as a whole, in memory: mail out, texts in, receipts, trouble of every kind."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.shipped.sms.gateway import Sms
from mailnode.shipped.sms.statuses import Status
from mailnode.shipped.sms.wire import Command, Pdu
from mailnode.testing.api import MemoryNode, Notify, now
from tests.kit.smsc import SILENCE, MemorySmsc

ANN = "ann@home.example"
BOB = "bob@home.example"
CELL = "4917012345@sms.example.org"
LONG = "abcdefghi " * 40


def both(config: str = "", **settings: Any) -> tuple[MemoryNode, MemorySmsc]:
    """Make a node and the SMSC it is bound to."""
    chosen = {"endpoint": "tcp:127.0.0.1:2775", "system_id": "mailnode", "number": "+15770001", "to": BOB, **settings}
    node = MemoryNode(Sms(**chosen), domain="sms.example.org", config=config)
    return node, MemorySmsc(node)


def reports(node: MemoryNode, address: str = ANN) -> list[str]:
    """Give the DSNs in a mailbox as text."""
    return [mail.as_string() for mail in node.mailbox(address) if mail.get_content_type() == "multipart/report"]


def said(mail: Any) -> str:
    """Give a mail's text with LF line ends."""
    return str(mail.get_content()).replace("\r\n", "\n")


# --- out


def test_mail_becomes_a_text_message() -> None:
    """In the GSM alphabet, from our number, with a receipt asked for, and nothing stays queued."""
    node, smsc = both()
    node.send(ANN, CELL, text="Grüße für 5 €\n\nOn Monday Bob wrote:\n> old words\n-- \nAnn")
    (text,) = smsc.texts
    assert text.message == b"Gr\x7e\x1ee f\x7er 5 \x1b\x65"
    assert (text.data_coding, text.registered_delivery, text.esm_class) == (0, 1, 0)
    assert (text.source.digits, text.source.ton, text.destination.digits) == ("15770001", 1, "4917012345")
    assert not node.queue()
    assert not node.mailbox(ANN)


def test_the_password_comes_from_a_file_and_is_in_no_log(tmp_path: Path) -> None:
    """Read anew for every bind."""
    path = tmp_path / "password"
    path.write_text("hush\nmore\n")
    node, smsc = both(password_file=str(path))
    assert [(one.system_id, one.password) for one in smsc.binds] == [("mailnode", "hush")]
    assert "hush" not in repr(smsc.binds)
    path.write_text("other\n")
    smsc.hang_up()
    node.advance("5s")
    assert smsc.binds[-1].password == "other"


def test_a_receipt_becomes_a_dsn() -> None:
    """NOTIFY=SUCCESS is answered when the telephone has it, and not before."""
    node, smsc = both()
    node.send(ANN, CELL, notify=Notify.SUCCESS)
    assert not reports(node)
    assert smsc.receipt("m1", "DELIVRD") == 0
    (report,) = reports(node)
    assert "Action: delivered" in report
    assert "delivered to the telephone (DELIVRD)" in " ".join(report.split())
    smsc.receipt("m1", "DELIVRD")
    assert len(reports(node)) == 1


@pytest.mark.parametrize(
    ("stat", "status"), [("UNDELIV", "5.1.0"), ("EXPIRED", "5.4.7"), ("REJECTD", "5.7.1"), ("DELETED", "5.7.1")]
)
def test_a_bad_receipt_bounces(stat: str, status: str) -> None:
    """The sender hears of it without having asked."""
    node, smsc = both()
    node.send(ANN, CELL)
    smsc.receipt("m1", stat)
    (report,) = reports(node)
    assert f"Status: {status}" in report
    assert stat in report


def test_a_long_text_is_delivered_when_every_part_is() -> None:
    """One DSN, after the last of the parts."""
    node, smsc = both()
    node.send(ANN, CELL, text=LONG, notify=Notify.SUCCESS)
    assert [one.message[:6].hex()[:6] + one.message[4:6].hex() for one in smsc.texts] == [
        f"05000303{number:02}" for number in (1, 2, 3)
    ]
    assert len({one.message[3] for one in smsc.texts}) == 1
    assert b"".join(one.message[6:] for one in smsc.texts).decode() == LONG.strip()
    for name in ("m3", "m1", "m1"):
        smsc.receipt(name, "DELIVRD")
    assert not reports(node)
    smsc.receipt("m2", "DELIVRD")
    (report,) = reports(node)
    assert "all 3 parts" in " ".join(report.split())


def test_one_lost_part_is_a_lost_message() -> None:
    """The bounce says which."""
    node, smsc = both()
    node.send(ANN, CELL, text=LONG)
    smsc.receipt("m1", "DELIVRD")
    smsc.receipt("m2", "UNDELIV")
    (report,) = reports(node)
    assert "part 2 of 3: undeliverable (UNDELIV)" in " ".join(report.split())


def test_a_receipt_may_overtake_the_answer() -> None:
    """What is said of a part before its acceptance is known waits for it."""
    node, smsc = both()
    for name in ("m1", "m2", "m3"):
        smsc.receipt(name, "DELIVRD")
    node.send(ANN, CELL, text=LONG, notify=Notify.SUCCESS)
    (report,) = reports(node)
    assert "Action: delivered" in report


def test_message_ids_in_two_notations_are_one() -> None:
    """Hexadecimal in the answer, decimal in the receipt; the TLVs come before the text."""
    node, smsc = both(message_ids="hexadecimal")
    smsc.name = "{:X}"
    smsc.ids = 41
    node.send(ANN, CELL, notify=Notify.SUCCESS)
    smsc.receipt("2A", "UNDELIV", tlvs={0x001E: b"42\0", 0x0427: b"\x02"})
    assert "Action: delivered" in reports(node)[0]


@pytest.mark.parametrize(
    ("status", "enhanced"),
    [(Status.RINVDSTADR, "5.1.1"), (Status.RX_P_APPN, "5.0.0"), (Status.RINVMSGLEN, "5.3.4")],
)
def test_what_the_smsc_will_never_take_bounces(status: int, enhanced: str) -> None:
    """With the name of its status."""
    node, smsc = both()
    smsc.will(status)
    node.send(ANN, CELL)
    (report,) = reports(node)
    assert f"Status: {enhanced}" in report
    assert f"ESME_{Status(status).name}" in report


def test_numbers_that_are_none_bounce_unasked() -> None:
    """5.1.3, and no submit_sm."""
    node, smsc = both()
    node.send(ANN, "hello@sms.example.org")
    assert "Status: 5.1.3" in reports(node)[0]
    assert not smsc.texts


@pytest.mark.parametrize("status", [Status.RTHROTTLED, Status.RMSGQFUL])
def test_throttling_holds_everybody_for_a_while(status: int) -> None:
    """Others are not even tried; afterwards each arrives once."""
    node, smsc = both(hold=60.0)
    smsc.will(status)
    node.send(ANN, CELL)
    node.send(ANN, "4917055555@sms.example.org")
    assert len(smsc.texts) == 1
    assert [round(one.due_in) <= 60 for one in node.queue()] == [True, True]
    assert "4.4.5" in node.queue()[0].reason
    node.advance("2m")
    assert not node.queue()
    assert len(smsc.texts) == 3


def test_a_later_attempt_goes_on_behind_the_parts_that_were_accepted() -> None:
    """Part 3 is throttled: only part 3 is sent again, with the same reference."""
    node, smsc = both()
    smsc.will(0, 0, Status.RTHROTTLED)
    node.send(ANN, CELL, text=LONG, notify=Notify.SUCCESS)
    assert "part 3 of 3: ESME_RTHROTTLED" in node.queue()[0].reason
    node.advance("2m")
    assert not node.queue()
    assert [one.message[5] for one in smsc.texts] == [1, 2, 3, 3]
    assert len({one.message[3] for one in smsc.texts}) == 1
    for name in ("m1", "m2", "m3"):
        smsc.receipt(name, "DELIVRD")
    assert "Action: delivered" in reports(node)[0]


def test_makers_own_statuses_are_read_by_a_table() -> None:
    """What nobody knows is delayed; the operator may say otherwise."""
    node, smsc = both(statuses={"0x401": "failed", "0x0b": "delayed"})
    smsc.will(0x401, 0x402, Status.RINVDSTADR)
    for number in (CELL, CELL, CELL):
        node.send(ANN, number)
    assert "status 0x00000401" in reports(node)[0]
    assert sorted(one.reason.split()[-1] for one in node.queue()) == ["(0x0B)", "0x00000402"]


def test_what_does_not_fit_is_cut_and_said() -> None:
    """The mark counts what is missing."""
    node, smsc = both(max_parts=2)
    node.send(ANN, CELL, text="x" * 1000)
    text = b"".join(one.message[6:] for one in smsc.texts).decode()
    assert len(smsc.texts) == 2
    assert text.endswith("more characters)")
    assert text.count("x") + int(text.split("... ")[1].split()[0]) == 1000


def test_subject_files_and_empty_texts() -> None:
    """The subject stands in when there is no text, files are named, and one may reject them."""
    from mailnode.gateways.api import Attachment

    file = Attachment("a.pdf", "application/pdf", b"12345")
    node, smsc = both()
    node.send(ANN, CELL, text="", subject="Server down")
    node.send(ANN, CELL, text="see", files=[file])
    assert [one.message for one in smsc.texts] == [b"Server down", b"see\n\x1b\x3ca.pdf, 5 octets, left out\x1b\x3e"]
    node, smsc = both(attachments="reject", subject=True)
    node.send(ANN, CELL, text="see", files=[file])
    node.send(ANN, CELL, text="body", subject="Title")
    assert [one.message for one in smsc.texts] == [b"Title\nbody"]
    assert "Status: 5.6.1" in reports(node)[0]


def test_without_receipts_the_sender_is_told_that_it_was_handed_on() -> None:
    """Action relayed, at once."""
    node, smsc = both(receipts=False)
    node.send(ANN, CELL, notify=Notify.SUCCESS)
    assert smsc.texts[0].registered_delivery == 0
    assert "Action: relayed" in reports(node)[0]


def test_parts_are_paced() -> None:
    """Three parts at one a second take two seconds."""
    node, smsc = both(per_second=1)
    node.send(ANN, CELL, text=LONG)
    assert len(smsc.texts) == 1
    node.advance("1s")
    assert len(smsc.texts) == 2
    node.advance("1s")
    assert len(smsc.texts) == 3


def test_what_was_on_its_way_when_the_attempt_ended_is_not_sent_again() -> None:
    """The answer comes after the attempt's time limit; the next attempt knows of it."""
    node, smsc = both('[gateway.sms]\nkind = "sms"\n[gateway.sms.queue]\ntimeout = "10s"\n')
    smsc.will(SILENCE)
    node.send(ANN, CELL, notify=Notify.SUCCESS)
    node.advance("15s")
    assert "no answer within 10s" in node.queue()[0].reason
    smsc.say(Pdu(Command.SUBMIT_SM_RESP, 2, b"late\0"))
    smsc.receipt("late", "DELIVRD")
    node.advance("1h")
    assert not node.queue()
    assert len(smsc.texts) == 1
    assert "Action: delivered" in reports(node)[0]


def test_the_example_is_a_configuration() -> None:
    """What the room's page shows is read as it stands; only the name of the kind needs an installation."""
    import textwrap

    import mailnode.shipped.sms as page

    told = str(page.__doc__).partition("Configuration::\n\n")[2].partition("\n\n**")[0]
    text = textwrap.dedent(told).replace('kind = "sms"', 'kind = "mailnode.shipped.sms.gateway:Sms"')
    text = text.replace("tls:smsc.example.net:3550", "tcp:127.0.0.1:2775").replace("/etc/mailnode/sms.password", "")
    node = MemoryNode(config=text)
    smsc = MemorySmsc(node)
    node.send(ANN, CELL)
    assert [(one.source.digits, one.message) for one in smsc.texts] == [("4915770001", b"Hello.")]


# --- the bind


def test_an_smsc_that_is_away_delays_and_is_found_again() -> None:
    """Binds are tried later each time; what waited is sent soon after."""
    node, smsc = both()
    smsc.is_there = False
    smsc.hang_up()
    node.send(ANN, CELL)
    assert "4.4.1" in node.queue()[0].reason
    node.advance("1m")
    smsc.is_there = True
    node.advance("5m")
    assert not node.queue()
    assert len(smsc.texts) == 1


def test_a_bind_that_is_refused_names_the_status() -> None:
    """The password is wrong until the operator mends it."""
    node, smsc = both()
    smsc.bind_status = Status.RINVPASWD
    smsc.hang_up()
    node.advance("5s")
    node.send(ANN, CELL)
    assert "ESME_RINVPASWD" in node.queue()[0].reason
    smsc.bind_status = 0
    node.advance("10m")
    assert not node.queue()


def test_silence_after_a_submit_ends_the_connection() -> None:
    """Nobody knows what became of it: it is delayed and sent again over a new bind."""
    node, smsc = both()
    smsc.will(SILENCE)
    node.send(ANN, CELL)
    node.advance("31s")
    assert "4.4.2" in node.queue()[0].reason
    node.advance("5m")
    assert (len(smsc.binds), len(smsc.texts)) == (2, 2)
    assert not node.queue()


def test_enquire_link_finds_a_dead_connection() -> None:
    """Answered: all is well. Not answered: a new bind."""
    node, smsc = both()
    node.advance("65s")
    assert smsc.requests.count(Command.ENQUIRE_LINK) == 2
    assert len(smsc.binds) == 1
    smsc.will(SILENCE)
    node.advance("70s")
    assert len(smsc.binds) == 2


def test_the_smsc_may_ask_too() -> None:
    """enquire_link and unbind are answered, what is unknown with generic_nack, nonsense ends the connection."""
    node, smsc = both()
    smsc.say(Pdu(Command.ENQUIRE_LINK, 7))
    smsc.say(Pdu(0x00000103, 8))
    smsc.say(Pdu(Command.DELIVER_SM, 9, b"\0\1"))
    smsc.say(Pdu(Command.UNBIND, 10))
    assert [(one.command, one.sequence, one.status) for one in smsc.answers] == [
        (Command.ENQUIRE_LINK_RESP, 7, 0), (Command.GENERIC_NACK, 8, 3), (Command.DELIVER_SM_RESP, 9, 2),
        (Command.UNBIND_RESP, 10, 0),
    ]  # fmt: skip
    node.advance("5s")
    smsc.protocol.dataReceived(b"GET / HTTP/1.0\r\n\r\n")
    assert smsc.answers[-1].command == Command.GENERIC_NACK
    node.advance("10s")
    assert len(smsc.binds) == 3


def test_stopping_unbinds() -> None:
    """The SMSC is told."""
    node, smsc = both()
    now(node.stop())
    assert smsc.requests[-1] == Command.UNBIND


# --- in


def test_a_text_message_becomes_mail_and_its_answer_a_text_message() -> None:
    """It comes from an address that leads back to the number."""
    node, smsc = both()
    assert smsc.deliver("491709999", b"Gr\x7e\x1ee") == 0
    (mail,) = node.mailbox(BOB)
    assert (mail["From"], mail["Subject"]) == ("491709999@sms.example.org", "Text message from 491709999")
    assert said(mail) == "Grüße\n"
    node.send(BOB, str(mail["From"]), text="Danke")
    assert (smsc.texts[0].destination.digits, smsc.texts[0].message) == ("491709999", b"Danke")


def test_an_answer_finds_who_has_written_and_the_thread() -> None:
    """In-Reply-To is right; who never was written to is nobody's business but of the usual address."""
    node, smsc = both()
    node.send(ANN, CELL, subject="Lunch", text="at one?", message_id="<lunch@home.example>")
    smsc.deliver("4917012345", b"yes")
    (mail,) = node.mailbox(ANN)
    assert (mail["In-Reply-To"], mail["Subject"]) == ("<lunch@home.example>", "Re: Lunch")
    smsc.deliver("4917055555", b"who are you")
    assert len(node.mailbox(BOB)) == 1


def test_our_numbers_have_their_own_readers() -> None:
    """By the number that was called; and without anybody it is refused."""
    node, smsc = both(numbers={"+15770001": "desk@home.example"})
    smsc.deliver("491709999", b"hello")
    assert len(node.mailbox("desk@home.example")) == 1
    _, lonely = both(to="")
    assert lonely.deliver("491709999", b"hello") == Status.RX_R_APPN


def test_redelivery_over_another_bind_is_harmless_and_repetition_is_not_redelivery() -> None:
    """The same octets by a later bind are the same message; twice within one bind they are two."""
    node, smsc = both()
    smsc.deliver("491709999", b"ok")
    smsc.deliver("491709999", b"ok")
    assert len(node.mailbox(BOB)) == 2
    smsc.hang_up()
    node.advance("5s")
    assert smsc.deliver("491709999", b"ok") == 0
    assert len(node.mailbox(BOB)) == 2
    node.advance("10m")
    smsc.deliver("491709999", b"ok")
    assert len(node.mailbox(BOB)) == 3


def test_parts_that_come_in_are_joined_in_any_order() -> None:
    """A character torn between two is whole again; what comes again changes nothing."""
    node, smsc = both()
    octets = "Grüße \U0001f600!".encode("utf-16-be")
    parts = [bytes((5, 0, 3, 9, 2, 1)) + octets[:14], bytes((5, 0, 3, 9, 2, 2)) + octets[14:]]
    for place in (1, 1, 0, 0, 1):
        assert smsc.deliver("491709999", parts[place], esm_class=0x40, data_coding=8) == 0
    (mail,) = node.mailbox(BOB)
    assert said(mail) == "Grüße \U0001f600!\n"


def test_parts_by_tlvs_and_by_wide_references() -> None:
    """sar_* and a header with a reference of 16 bits."""
    node, smsc = both()
    for number, text in ((1, b"one "), (2, b"two")):
        smsc.deliver("491709999", text, tlvs={0x020C: b"\1\2", 0x020E: b"\2", 0x020F: bytes((number,))})
        smsc.deliver("491708888", bytes((6, 8, 4, 1, 2, 2, number)) + text, esm_class=0x40)
    assert sorted(said(mail) for mail in node.mailbox(BOB)) == ["one two\n", "one two\n"]


def test_missing_parts_are_told() -> None:
    """After a while what is here is delivered, with its gap marked; the same count later is another text."""
    node, smsc = both()
    first, third = bytes((5, 0, 3, 9, 3, 1)) + b"begin ", bytes((5, 0, 3, 9, 3, 3)) + b" end"
    smsc.deliver("491709999", first, esm_class=0x40)
    smsc.deliver("491709999", third, esm_class=0x40)
    assert not node.mailbox(BOB)
    node.advance("61m")
    (mail,) = node.mailbox(BOB)
    assert said(mail) == "begin [part 2 of 3 is missing] end\n"
    node.advance("2h")
    assert len(node.mailbox(BOB)) == 1
    smsc.deliver("491709999", bytes((5, 0, 3, 9, 3, 1)) + b"other", esm_class=0x40)
    smsc.deliver("491709999", bytes((5, 0, 3, 9, 3, 1)) + b"third", esm_class=0x40)
    assert [said(one) for one in node.mailbox(BOB)][1] == ("other[part 2 of 3 is missing][part 3 of 3 is missing]\n")


def test_a_long_text_is_mail_once_though_it_is_redelivered_whole() -> None:
    """All parts again by another bind, while they are remembered."""
    node, smsc = both()
    parts = [bytes((5, 0, 3, 9, 2, number)) + b"text" for number in (1, 2)]
    for _ in range(2):
        for part in parts:
            assert smsc.deliver("491709999", part, esm_class=0x40) == 0
        smsc.hang_up()
        node.advance("5s")
    assert len(node.mailbox(BOB)) == 1


def test_what_is_no_text_is_a_file() -> None:
    """8-bit data is attached as it is."""
    node, smsc = both()
    smsc.deliver("491709999", b"\x00\xff", data_coding=4)
    (mail,) = node.mailbox(BOB)
    (file,) = mail.iter_attachments()
    assert file.get_content() == b"\x00\xff"


def test_what_is_turned_away_for_now_stays_with_the_smsc() -> None:
    """A flood from one number: RX_T_APPN, which means later."""
    _, smsc = both('[gateway.sms]\nkind = "sms"\n[gateway.sms.source]\nrate_per_sender = "1/h"\n')
    answers = {smsc.deliver("491709999", b"%d" % number) for number in range(40)}
    assert answers == {0, Status.RX_T_APPN}


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": "smsc.example.net"}, {"system_id": "x" * 16}, {"system_id": ""}, {"number": "no number at all"},
        {"to": "nobody"}, {"numbers": {"x": BOB}}, {"statuses": {"58": "failed"}}, {"max_parts": 0}, {"per_second": -1.0},
    ],
)  # fmt: skip
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError):
        Sms(**{"endpoint": "tcp:x:1", "system_id": "a", **settings})
