"""Messages are re-encoded only where they must be, and read back as they were."""

import email
import email.policy
from email.message import EmailMessage, Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.transfer import (
    MAX_DEPTH,
    MAX_LINE,
    MAX_PARTS,
    MAX_TYPE,
    header_is_seven_bit,
    is_seven_bit,
    needs_binary,
    quoted_printable,
    to_eight_bit,
    to_seven_bit,
)

_GREETING = "Grüße von Jörg\r\n".encode()


def _leaves(octets: bytes) -> list[tuple[str, bytes]]:
    """Give type and decoded octets of every part that is no container."""
    message = email.message_from_bytes(octets)
    return [(part.get_content_type(), _payload(part)) for part in message.walk() if not part.is_multipart()]


def _payload(part: "Message[str, str]") -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.replace(b"\r\n", b"\n")


# --- questions ------------------------------------------------------------------------------------------------------


def test_seven_bit_is_ascii_in_all_blocks() -> None:
    """One octet with its high bit set anywhere is enough."""
    assert is_seven_bit([b"a", b"b"])
    assert not is_seven_bit([b"a", b"\x80"])


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"a: b", b"\xfc"]), max_size=10))
def test_the_header_is_told_from_the_body_at_every_cut(blocks: list[bytes]) -> None:
    """Only octets before the first empty line count, however the blocks lie."""
    whole = b"".join(blocks)
    assert header_is_seven_bit(blocks) == whole.partition(b"\r\n\r\n")[0].isascii()


@pytest.mark.rfc("2045", "2.9")
@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"ab", b"x" * 997, b"x" * 998]), max_size=10))
def test_what_needs_binary_is_seen_at_every_cut(blocks: list[bytes]) -> None:
    """Long lines, NUL and lone CR or LF are found across the borders of blocks."""
    lines = b"".join(blocks).split(b"\r\n")
    is_proper = all(len(line) <= MAX_LINE and not set(line) & {0, 10, 13} for line in lines)
    assert needs_binary(blocks) == (not is_proper)


# --- conversion -----------------------------------------------------------------------------------------------------


def test_what_fits_is_left_alone() -> None:
    """A 7-bit message stays byte for byte."""
    content = b"Subject: x\r\n\r\nhello\r\n"
    assert to_seven_bit(content) is content


@pytest.mark.rfc("6152", "3")
def test_a_mime_text_becomes_quoted_printable() -> None:
    """The field says the new encoding, everything else in the header stays as it was."""
    content = (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n"
        b"content-transfer-encoding:\r\n 8bit\r\nX-Last: y\r\n\r\n"
    ) + _GREETING
    assert to_seven_bit(content) == (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n"
        b"X-Last: y\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"Gr=C3=BC=C3=9Fe von J=C3=B6rg\r\n"
    )


@pytest.mark.rfc("1428", "3")
def test_a_body_without_mime_becomes_text_of_unknown_charset() -> None:
    """What says nothing about itself is labeled as text whose charset nobody knows."""
    converted = to_seven_bit(b"Subject: x\r\n\r\nGr\xfc\xdfe\r\n")
    assert converted == (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
    )


def test_a_message_without_header_is_converted_too() -> None:
    """A body right from the first line gets the header it needs."""
    assert _leaves(to_seven_bit(b"\r\n" + _GREETING)) == [("text/plain", _GREETING.replace(b"\r\n", b"\n"))]


def _nested() -> bytes:
    inner = EmailMessage(policy=email.policy.SMTP.clone(cte_type="8bit"))
    inner["Subject"] = "inside"
    inner.set_content("Ähnliches\n", cte="8bit")
    outer = EmailMessage(policy=email.policy.SMTP.clone(cte_type="8bit"))
    outer["Subject"] = "outside"
    outer.set_content("Äußeres\n", cte="8bit")
    outer.add_alternative("<p>Äußeres</p>\n", subtype="html", cte="8bit")
    outer.add_attachment(inner)
    outer.add_attachment(b"\x00\x01\xff" * 100, "application", "octet-stream", cte="base64")
    return outer.as_bytes()


def test_nested_parts_and_enclosed_messages_are_converted() -> None:
    """Every leaf reads the same afterwards, and what was encoded before stays byte for byte."""
    content = _nested()
    converted = to_seven_bit(content)
    assert converted.isascii()
    assert _leaves(converted) == _leaves(content)
    attachment = content[content.index(b"application/octet-stream") :]
    assert attachment in converted


def test_a_body_that_fits_is_kept_beside_one_that_does_not() -> None:
    """In a multipart without an end only the part that needs it is touched."""
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=x\r\n\r\n"
    plain = b"--x\r\n\r\nSubject: a\r\n\r\na\r\n"
    converted = to_seven_bit(head + plain + b"--x\r\n\r\nSubject: b\r\n\r\n\xfc\r\n")
    assert converted.startswith(head + plain + b"--x\r\n\r\nSubject: b\r\nMIME-Version: 1.0\r\n")
    assert converted.endswith(b"\r\n\r\n=FC\r\n")


def test_containers_lose_their_eight_bit_label() -> None:
    """A multipart that said 8bit says 7bit, one that said nothing says nothing."""
    part = b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + _GREETING + b"--x--\r\n"
    head = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n'
    assert to_seven_bit(head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + part).startswith(
        head + b"Content-Transfer-Encoding: 7bit\r\n\r\n--x\r\n"
    )
    assert to_seven_bit(head + b"\r\n" + part).startswith(head + b"\r\n--x\r\n")


def test_preamble_and_epilogue_lose_what_does_not_fit() -> None:
    """Octets that are in no part become question marks."""
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    assert to_seven_bit(head + b"gr\xfc\xdf\r\n--x\r\n\r\na\r\n--x--\r\n\xff\r\n") == (
        head + b"gr??\r\n--x\r\n\r\na\r\n--x--\r\n?\r\n"
    )


def test_other_types_become_base64() -> None:
    """What is no text becomes base64, also when it has no lines at all."""
    octets = bytes(range(256)) * 20
    content = b"MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n" + octets
    for convert in (to_seven_bit, to_eight_bit):
        converted = convert(content)
        assert not needs_binary([converted])
        assert b"Content-Transfer-Encoding: base64\r\n" in converted
        assert email.message_from_bytes(converted).get_payload(decode=True) == octets


@pytest.mark.rfc("3030", "3")
def test_binary_becomes_eight_bit_only_where_it_must() -> None:
    """For a peer with 8BITMIME, 8-bit text with proper lines stays; what has none is encoded."""
    text = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + _GREETING
    binary = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nlone\nline"
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    converted = to_eight_bit(head + b"--x\r\n" + text + b"\r\n--x\r\n" + binary + b"\r\n--x--\r\n")
    assert text in converted
    assert b"Content-Transfer-Encoding: base64\r\n\r\nbG9uZQpsaW5l\r\n" in converted


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"Subject: \xfc\r\n\r\nx\r\n", "header field"),
        (b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n\xfc\r\n", "encoding it claims"),
        (b'Content-Type: multipart/signed; boundary="x"\r\n\r\n--x\r\n\r\n\xfc\r\n--x--\r\n', "signed"),
        (b"Content-Type: multipart/mixed\r\n\r\n\xfc\r\n", "no parts"),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n\xfc\r\n", "no parts"),
        (b"Content-Type: message/partial\r\n\r\n\xfc\r\n", "message/partial"),
        (b"Content-Type: message/rfc822\r\n\r\nSubject: \xfc\r\n\r\nx\r\n", "header field"),
    ],
)
def test_what_cannot_be_converted_says_why(content: bytes, why: str) -> None:
    """What no encoding covers, or what may not be changed, is a ValueError."""
    with pytest.raises(ValueError, match=why):
        to_seven_bit(content)


def test_depth_has_an_end() -> None:
    """Messages within messages without end are refused, not followed."""
    with pytest.raises(ValueError, match="deep"):
        to_seven_bit(b"Content-Type: message/rfc822\r\n\r\n" * (MAX_DEPTH + 5) + b"\r\n\xfc\r\n")


def test_parts_have_an_end() -> None:
    """Each part that is re-encoded gets a header of its own: too many would make a small message a huge one."""
    multipart = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n%s--x--\r\n"
    part = b"--x\r\n\r\n\xfc\r\n"
    assert to_seven_bit(multipart % (part * 100)).isascii()
    with pytest.raises(ValueError, match="too many parts"):
        to_seven_bit(multipart % (part * (MAX_PARTS + 1)))


def test_an_endless_content_type_is_not_read() -> None:
    """The time to read parameters grows with the square of their number."""
    folded = b"\r\n ;" * (MAX_TYPE // 3)
    with pytest.raises(ValueError, match="too long a Content-Type"):
        to_seven_bit(b"Content-Type: multipart/mixed; boundary=x%s\r\n\r\n--x\r\n\r\n\xfc\r\n--x--\r\n" % folded)


@given(st.lists(st.sampled_from(["ü", "a", "=", " ", "\t", ".", "From ", "\r\n", "x" * 80]), max_size=20))
def test_quoted_printable_reads_back(pieces: list[str]) -> None:
    """Whatever the text, it decodes to itself and has short, proper lines."""
    body = "".join(pieces).encode()
    encoded = quoted_printable(body)
    message = email.message_from_bytes(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded)
    assert message.get_payload(decode=True) == body
    assert encoded.isascii()
    assert not needs_binary([encoded])
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@given(st.binary(max_size=400))
def test_any_octets_convert_or_say_why(octets: bytes) -> None:
    """No content makes the conversion fail in another way, and what it gives fits."""
    try:
        converted = to_seven_bit(b"Content-Type: multipart/mixed; boundary=x\r\n" + octets)
    except ValueError:
        return
    assert converted.isascii()
