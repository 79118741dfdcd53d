"""A message is fitted to what the peer offers, and to nothing less."""

from pathlib import Path

import pytest

from mailnode.couriers.smtp_conversions import Conversions
from mailnode.couriers.smtp_prepare import Prepared, prepare
from mailnode.mail.address import Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Body, Envelope, Recipient
from mailnode.mail.message import Message
from mailnode.mail.reply import Reply, Status
from mailnode.smtp.peeroffer import PeerOffer
from tests.kit.carrying import filed
from tests.kit.results import InlineDisk, now

_PLAIN = PeerOffer()
_EIGHT = PeerOffer(eight_bit=True)
_UTF8 = PeerOffer(eight_bit=True, smtputf8=True)
_ASCII = b"Subject: x\r\n\r\nhello\r\n"
_LATIN = b"Subject: x\r\n\r\nGr\xfc\xdfe\r\n"
_UTF8_FIELD = "Subject: ü\r\n\r\nhello\r\n".encode()
_LONE = b"Subject: x\r\n\r\nlone\nline\r\n"


def _prepare(
    content: bytes | Content,
    offer: PeerOffer,
    body: Body = Body.SEVEN_BIT,
    *,
    smtputf8: bool = False,
    sender: str = "ann",
    limit: int = 1000,
) -> Prepared | Reply:
    held = Content(content) if isinstance(content, bytes) else content
    envelope = Envelope(
        Mailbox(sender, "example.org"), (Recipient(Mailbox("bob", "example.org")),), body=body, smtputf8=smtputf8
    )
    return now(prepare(Message("q", envelope, held, 0.0), offer, InlineDisk(), Conversions(InlineDisk(), limit)))


def _status(prepared: Prepared | Reply) -> Status | None:
    assert isinstance(prepared, Reply)
    return prepared.status


@pytest.mark.parametrize(
    ("content", "declared", "offer", "body"),
    [
        (_ASCII, Body.SEVEN_BIT, _PLAIN, Body.SEVEN_BIT),
        (_ASCII, Body.EIGHT_BIT_MIME, _PLAIN, Body.SEVEN_BIT),
        (_ASCII, Body.SEVEN_BIT, _EIGHT, Body.SEVEN_BIT),
        (_LATIN, Body.SEVEN_BIT, _EIGHT, Body.EIGHT_BIT_MIME),
        (_LATIN, Body.EIGHT_BIT_MIME, _EIGHT, Body.EIGHT_BIT_MIME),
        (_LATIN, Body.BINARY_MIME, _EIGHT, Body.EIGHT_BIT_MIME),
        (_ASCII, Body.BINARY_MIME, _PLAIN, Body.SEVEN_BIT),
    ],
)
def test_what_fits_is_sent_as_it_is(content: bytes, declared: Body, offer: PeerOffer, body: Body) -> None:
    """Content that the peer can take is not touched; BODY says what it holds."""
    assert _prepare(content, offer, declared) == Prepared(Content(content), body, smtputf8=False)


@pytest.mark.parametrize(
    ("content", "declared", "offer"),
    [
        (_LATIN, Body.SEVEN_BIT, _PLAIN),
        (_LATIN, Body.EIGHT_BIT_MIME, _PLAIN),
        (_LATIN, Body.BINARY_MIME, _PLAIN),
        (_LONE, Body.BINARY_MIME, _PLAIN),
        (_LONE, Body.BINARY_MIME, _EIGHT),
    ],
)
def test_what_does_not_fit_is_converted(content: bytes, declared: Body, offer: PeerOffer, tmp_path: Path) -> None:
    """The same from memory and from a file."""
    for held in (Content(content), filed(tmp_path / "c", content)):
        prepared = _prepare(held, offer, declared)
        assert isinstance(prepared, Prepared)
        assert prepared.content.head.isascii()
        assert b"Content-Transfer-Encoding: " in prepared.content.head
        assert prepared.content.path is None


def test_a_file_is_announced_as_eight_bit_unread(tmp_path: Path) -> None:
    """A peer with 8BITMIME hears of it for every file, which need then not be read twice."""
    prepared = _prepare(filed(tmp_path / "c", _LATIN), _EIGHT)
    assert isinstance(prepared, Prepared)
    assert prepared.body is Body.EIGHT_BIT_MIME


@pytest.mark.rfc("6152", "3")
def test_what_cannot_be_converted_fails() -> None:
    """8-bit header fields and messages over the limit are returned."""
    assert _status(_prepare(b"Subject: \xfc\r\n\r\nx\r\n", _PLAIN)) == Status(5, 6, 3)
    assert _status(_prepare(_LATIN, _PLAIN, limit=5)) == Status(5, 6, 3)


def test_growing_over_the_peers_size_fails() -> None:
    """SIZE is compared with what would be sent."""
    assert _status(_prepare(_ASCII, PeerOffer(size_limit=5))) == Status(5, 3, 4)
    assert _status(_prepare(_LATIN, PeerOffer(size_limit=len(_LATIN) + 5))) == Status(5, 3, 4)


@pytest.mark.rfc("6531", "3.6")
def test_smtputf8_is_dropped_only_where_nothing_needs_it(tmp_path: Path) -> None:
    """Without SMTPUTF8 at the peer, UTF-8 in the sender or in the header fails the message."""
    assert _prepare(_ASCII, _EIGHT, smtputf8=True) == Prepared(Content(_ASCII), Body.SEVEN_BIT, smtputf8=False)
    assert _status(_prepare(_UTF8_FIELD, _EIGHT, smtputf8=True)) == Status(5, 6, 7)
    assert _status(_prepare(filed(tmp_path / "c", _UTF8_FIELD), _EIGHT, smtputf8=True)) == Status(5, 6, 7)
    assert _status(_prepare(_ASCII, _EIGHT, sender="jörg")) == Status(5, 6, 7)


def test_smtputf8_is_asked_for_when_something_needs_it() -> None:
    """A peer with SMTPUTF8 hears of it when the sender asked for it or an address needs it."""
    for arguments, expected in (({}, False), ({"smtputf8": True}, True), ({"sender": "jörg"}, True)):
        prepared = _prepare(_ASCII, _UTF8, **arguments)
        assert isinstance(prepared, Prepared)
        assert prepared.smtputf8 is expected
