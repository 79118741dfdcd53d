"""Whatever a message holds, a terminal gets harmless lines of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.couriers.terminal_text import compose
from mailnode.mail.address import NULL, parse_mailbox

HARMLESS = re.compile(rb"(?:[ -~]*\r\n)*")


def shown(content: bytes, *, is_utf8: bool = False, limit: int = 4000) -> bytes:
    """Compose with what does not matter here."""
    sender = parse_mailbox("bob@example.org")
    return compose(content, sender=sender, hostname="mx.example", clock="12:00", is_utf8=is_utf8, limit=limit)


def test_it_is_as_write_shows_it() -> None:
    """A line in front, the subject, the text, EOF."""
    assert shown(b"Subject: lunch\r\nX: y\r\n\r\nNow?\r\n\tYes.\r\n").decode().split("\r\n") == [
        "",
        "Message from bob@example.org by mx.example at 12:00 ...",
        "Subject: lunch",
        "Now?",
        "        Yes.",
        "EOF",
        "",
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x1b]0;title\x07",
        b"\x1b[2J\x1b[6n",
        b"a\x9b31mb",
        b"\xc2\x9b31m",
        b"\x08\x08\x08rm",
        b"\x00\x7f\x0b\x0c\x1c",
        "\u202e\u2066\ufeff\u2028".encode(),
        b"=1B[2J",
    ],
)
@pytest.mark.parametrize("is_utf8", [True, False])
def test_no_control_reaches_the_terminal(hostile: bytes, *, is_utf8: bool) -> None:
    """Not in the text, not in the subject, not encoded."""
    for content in (
        b"Subject: " + hostile + b"\r\n\r\n" + hostile + b"\r\n",
        b"Subject: =?utf-8?q?=1B=5B2J?=\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=1B[2J" + hostile,
        b"Content-Type: text/plain; charset=latin-1\r\n\r\n" + hostile,
    ):
        said = shown(content, is_utf8=is_utf8).decode()
        assert all(char.isprintable() for char in said.replace("\r\n", ""))
        assert "\x1b" not in said


@given(st.binary(max_size=2000), st.booleans(), st.integers(1, 500))
def test_any_octets_become_harmless_lines(content: bytes, is_utf8: bool, limit: int) -> None:
    """Nothing but visible characters in lines with CRLF, and not much beyond the limit."""
    said = shown(content, is_utf8=is_utf8, limit=limit)
    assert len(said) <= limit + 40
    assert said.endswith(b"\r\n")
    if is_utf8:
        assert all(char.isprintable() for char in said.decode().replace("\r\n", ""))
    else:
        assert HARMLESS.fullmatch(said)


def test_letters_stay_readable() -> None:
    """UTF-8 where the terminal speaks it, else the letters without their marks."""
    content = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nfür Zoë\r\n".encode()
    assert "für Zoë" in shown(content, is_utf8=True).decode()
    assert "Grüße" in shown(content, is_utf8=True).decode()
    assert b"fur Zoe" in shown(content)


def test_the_plain_part_is_shown() -> None:
    """Of a multipart, its first plain part; where there is none, or it cannot be read, that is said."""
    plain = b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n--b\r\n\r\nyes\r\n--b--\r\n"
    assert b"yes\r\n" in shown(plain)
    assert b"<b>" not in shown(plain)
    assert b"no text that can be shown" in shown(b"Content-Type: image/png\r\n\r\nPNG")
    assert b"no text that can be shown" in shown(b"Content-Type: text/plain; charset=klingon\r\n\r\nx")
    assert b"no text that can be shown" in shown(b"Content-Type: text/plain" + b"; a=b" * 2000 + b"\r\n\r\nx")
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1500))
    assert shown(nested).endswith(b"EOF\r\n")


def test_much_is_cut_short() -> None:
    """A long line is folded, a long text ends with a remark; a null sender is shown as one."""
    said = shown(b"\r\n" + b"x" * 10_000, limit=1000)
    assert max(map(len, said.split(b"\r\n"))) <= 78
    assert said.endswith(b"(the rest is left out)\r\n")
    assert b"from <> by" in compose(b"", sender=NULL, hostname="h", clock="1", is_utf8=False, limit=100)
