"""The content after DATA."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.buffer import InputBuffer
from mailnode.smtp.content import DataReader
from mailnode.smtp.settings import BareNewlines, ServerSettings

noise = st.lists(st.sampled_from([b"a", b".", b"\r", b"\n", b"\r\n", b"\r\n.", b"bc", b"\xff"]), max_size=20)
text = st.lists(st.sampled_from([b"a", b".", b"\r\n", b"\r\n.", b"bc", b"\xff"]), max_size=20)
cuts = st.lists(st.integers(0, 60))


def pieces(octets: bytes, places: list[int]) -> list[bytes]:
    """Cut at these places."""
    whole = sorted({0, len(octets), *(place for place in places if place < len(octets))})
    return [octets[start:end] for start, end in itertools.pairwise(whole)]


def read(octets: list[bytes], mode: BareNewlines = "refuse") -> tuple[bytes, bool, Reply | None, int]:
    """Read piece by piece: the content, whether its end was found, its fault, how many octets are left."""
    buffer = InputBuffer(1000)
    reader = DataReader(ServerSettings(bare_newlines=mode))
    content = b""
    for piece in octets:
        buffer.feed(piece)
        if not reader.is_done:
            content += reader.read(buffer)
    return content, reader.is_done, reader.fault, len(buffer)


def stuffed(content: bytes) -> bytes:
    """Write content as a client does: this is the plain, slow way."""
    lines = content.split(b"\r\n")[:-1]
    return b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines) + b".\r\n"


@pytest.mark.rfc("5321", "4.5.2")
@given(text, cuts)
def test_what_was_stuffed_is_read_as_it_was(parts: list[bytes], places: list[int]) -> None:
    """Any text comes out as it went in, however it is cut, and nothing behind its end is touched."""
    content = b"".join(parts)
    content += b"" if content.endswith(b"\r\n") or not content else b"\r\n"
    assert read([*pieces(stuffed(content), places), b"NOOP\r\n"]) == (content, True, None, 6)


@given(noise, cuts, st.sampled_from(["refuse", "repair"]))
def test_cuts_make_no_difference(parts: list[bytes], places: list[int], mode: BareNewlines) -> None:
    """Whatever comes, end and fault are found at the same place however it is cut."""
    octets = b"".join(parts) + b"\r\n.\r\nrest"
    content, *others = read([octets], mode)
    cut_content, *cut_others = read(pieces(octets, places), mode)
    assert cut_others == others
    if others[1] is None:
        assert cut_content == content


@given(noise, cuts)
def test_only_crlf_dot_crlf_ends(parts: list[bytes], places: list[int]) -> None:
    """The end is where CRLF dot CRLF stands first, the CRLF before the content counted in; and nowhere else."""
    octets = b"".join(parts)
    end = (b"\r\n" + octets).find(b"\r\n.\r\n")
    _, is_done, _, left = read(pieces(octets, places))
    assert is_done == (end >= 0)
    assert left == (len(octets) - end - 3 if is_done else 0)


@given(noise, cuts)
def test_what_is_repaired_has_only_crlf(parts: list[bytes], places: list[int]) -> None:
    """In repair every line end is CRLF, and the lines are those one sees when any of CR, LF and CRLF ends a line."""
    octets = b"".join(parts) + b"\r\n.\r\n"
    end = (b"\r\n" + octets).find(b"\r\n.\r\n")
    content, is_done, fault, _ = read(pieces(octets, places), "repair")
    assert is_done
    assert fault is None
    unstuffed = (b"\r\n" + octets)[: end + 2].replace(b"\r\n.", b"\r\n")[2:]
    assert content.replace(b"\r\n", b"\n") == unstuffed.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@pytest.mark.rfc("5321", "2.3.8")
@pytest.mark.parametrize("octets", [b"a\nb", b"a\rb", b"\n", b"\r", b"\r\r", b"\n\r", b"a\n.\nb", b"a\r\r"])
def test_a_lone_cr_or_lf_is_a_fault(octets: bytes) -> None:
    """In refuse the content is faulty, and its end is still the true one."""
    content, is_done, fault, left = read([octets + b"\r\n.\r\nNOOP"])
    assert (is_done, fault, left) == (True, replies.BARE_NEWLINE, 4)
    assert b"\n" not in content


def test_a_small_message_is_one_part() -> None:
    """All of a message that came in one read is given at once."""
    buffer = InputBuffer(1000)
    buffer.feed(b"a: b\r\n\r\n..c\r\n.\r\nNOOP\r\n")
    reader = DataReader(ServerSettings())
    assert reader.read(buffer) == b"a: b\r\n\r\n.c\r\n"
    assert reader.is_done
    assert buffer.take_line() == b"NOOP"
