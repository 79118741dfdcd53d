"""MAIL and RCPT carry what the peer understands, and nothing that could be another command."""

import pytest
from attrs import evolve

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient, Return
from mailnode.smtp.asking import mail_line, rcpt_line
from mailnode.smtp.peeroffer import PeerOffer

_ANN = Mailbox("ann", "example.org")
_ALL = PeerOffer({"DELIVERBY": ""}, has_size=True, smtputf8=True, dsn=True, eight_bit=True)
_NONE = PeerOffer()


def _mail(envelope: Envelope, offer: PeerOffer, body: Body = Body.SEVEN_BIT, *, smtputf8: bool = False) -> bytes:
    return mail_line(envelope, offer, size=1234, body=body, smtputf8=smtputf8)


def test_a_plain_peer_gets_plain_commands() -> None:
    """A peer without extensions gets no parameters."""
    envelope = Envelope(_ANN, envelope_id="x", returns=Return.FULL, extra=(("BY", "3;R"),))
    assert _mail(envelope, _NONE) == b"MAIL FROM:<ann@example.org>\r\n"
    recipient = Recipient(_ANN, Notify.NEVER, "rfc822;ann@example.org")
    assert rcpt_line(recipient, _NONE, smtputf8=False) == b"RCPT TO:<ann@example.org>\r\n"


@pytest.mark.rfc("3461", "4.3")
def test_mail_carries_everything_the_peer_knows() -> None:
    """SIZE, BODY, SMTPUTF8, RET, ENVID and what must travel on stand in MAIL."""
    envelope = Envelope(_ANN, envelope_id="QQ+1=2", returns=Return.HEADERS, extra=(("BY", "3;R"), ("OTHER", "")))
    line = _mail(envelope, _ALL, Body.EIGHT_BIT_MIME, smtputf8=True)
    assert line == (
        b"MAIL FROM:<ann@example.org> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1+3D2 BY=3;R\r\n"
    )


def test_the_null_reverse_path_is_empty_brackets() -> None:
    """Notifications come from nobody."""
    assert _mail(Envelope(NULL), _NONE) == b"MAIL FROM:<>\r\n"


@pytest.mark.rfc("3461", "5.2.1")
def test_rcpt_passes_notify_and_orcpt_on() -> None:
    """NOTIFY and ORCPT go along as they came; ORCPT is never made up."""
    recipient = Recipient(_ANN, Notify.SUCCESS | Notify.DELAY, "rfc822;a+b@example.org")
    assert rcpt_line(recipient, _ALL, smtputf8=False) == (
        b"RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@example.org\r\n"
    )
    assert rcpt_line(evolve(recipient, original=""), _ALL, smtputf8=False).endswith(b"NOTIFY=SUCCESS,DELAY\r\n")


@pytest.mark.rfc("6533", "3")
def test_an_original_address_in_utf8_is_escaped_without_smtputf8() -> None:
    """An ORCPT of type utf-8 is ASCII unless the transaction is SMTPUTF8."""
    recipient = Recipient(_ANN, original="utf-8;jörg@example.org")
    assert b"ORCPT=utf-8;j\\x{F6}rg@example.org" in rcpt_line(recipient, _ALL, smtputf8=False)
    assert "ORCPT=utf-8;jörg@example.org".encode() in rcpt_line(recipient, _ALL, smtputf8=True)


@pytest.mark.rfc("6531", "3.2")
def test_a_domain_is_written_in_a_labels_without_smtputf8() -> None:
    """A domain in UTF-8 needs no SMTPUTF8, a local part does."""
    recipient = Recipient(Mailbox("ann", "bücher.example"))
    assert rcpt_line(recipient, _NONE, smtputf8=False) == b"RCPT TO:<ann@xn--bcher-kva.example>\r\n"
    assert rcpt_line(recipient, _ALL, smtputf8=True) == "RCPT TO:<ann@bücher.example>\r\n".encode()
    with pytest.raises(ValueError, match="SMTPUTF8"):
        rcpt_line(Recipient(Mailbox("jörg", "example.org")), _ALL, smtputf8=False)


@pytest.mark.parametrize("local_part", ["a\r\nDATA", "a\nb", "a\0b", "\x7f"])
def test_an_address_is_never_a_second_command(local_part: str) -> None:
    """A control character in an address is refused here at the latest."""
    with pytest.raises(ValueError, match="control"):
        rcpt_line(Recipient(Mailbox(local_part, "example.org")), _NONE, smtputf8=False)


def test_control_characters_in_dsn_parameters_are_encoded() -> None:
    """What xtext hid from our server stays hidden from the next one."""
    line = _mail(Envelope(_ANN, envelope_id="a\r\nRSET"), _ALL)
    assert line.count(b"\r\n") == 1
    assert b"ENVID=a+0D+0ARSET" in line


def test_a_quoted_local_part_keeps_its_quotes() -> None:
    """A local part that is no dot-string is quoted."""
    assert rcpt_line(Recipient(Mailbox("a b", "example.org")), _NONE, smtputf8=False) == (
        b'RCPT TO:<"a b"@example.org>\r\n'
    )
