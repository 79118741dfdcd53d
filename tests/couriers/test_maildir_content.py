"""Fields on top, line ends, and the look for a loop."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.couriers import maildir_content
from mailnode.couriers.maildir_content import delivered_to, delivery_fields, has_been_at, unix_lines
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content

ANN = Mailbox("Ann", "example.org")


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    """Cut octets at the given places."""
    at = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[a:b] for a, b in itertools.pairwise(at)]


@given(st.text(alphabet="\r\na", max_size=40), st.lists(st.integers(0, 100), max_size=6))
def test_line_ends_are_right_wherever_the_blocks_are_cut(text: str, places: list[int]) -> None:
    """Each CRLF becomes LF, a CR or LF alone stays, and cuts make no difference."""
    octets = text.encode()
    assert b"".join(unix_lines(cut(octets, places))) == octets.replace(b"\r\n", b"\n")


@pytest.mark.rfc("5321", "4.4")
def test_the_reverse_path_is_written_down() -> None:
    """Final delivery puts the reverse-path and the mailbox's address before everything else."""
    sender = Mailbox("s", "example.com")
    assert delivery_fields(sender, ANN) == b"Return-Path: <s@example.com>\r\nDelivered-To: Ann@example.org\r\n"


@pytest.mark.rfc("5321", "4.5.5")
def test_the_null_reverse_path_is_empty_brackets() -> None:
    """A notification's Return-Path is ``<>``."""
    assert delivery_fields(NULL, ANN).startswith(b"Return-Path: <>\r\n")


def test_an_address_cannot_add_a_field() -> None:
    """Control characters in an address never reach the header."""
    fields = delivery_fields(Mailbox("s\r\nBcc: x", "example.com"), ANN)
    assert fields.count(b"\r\n") == 2


@pytest.mark.parametrize(
    "header",
    [
        b"Delivered-To: ann@example.org\r\n\r\n",
        b"Subject: x\r\nDELIVERED-TO:ANN@EXAMPLE.ORG\r\n\r\nbody",
        b"Subject: x\r\nDelivered-To:\r\n ann@example.org \r\nX: y\r\n\r\nbody",
        b"Delivered-To: bob@example.org\nDelivered-To : ann@example.org\n\nbody",
        b"Delivered-To: ann@example.org",
    ],
)
@pytest.mark.rfc("5321", "6.3")
def test_a_loop_is_seen(header: bytes) -> None:
    """The same Delivered-To, in any case, folded or not, on any line of the header, is a loop."""
    assert has_been_at(ANN, delivered_to(Content(header)))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\nDelivered-To: ann@example.org\r\n",
        b"Subject: x\r\n\r\nDelivered-To: ann@example.org\r\n",
        b"X-Delivered-To: ann@example.org\r\n\r\n",
        b"Delivered-To: joann@example.org\r\n\r\n",
        b"Subject: x\r\n Delivered-To: ann@example.org\r\n\r\n",
    ],
)
def test_what_only_looks_like_a_loop_is_none(octets: bytes) -> None:
    """The body, other fields, other addresses and folded lines do not count."""
    assert not has_been_at(ANN, delivered_to(Content(octets)))


def test_the_search_reads_across_blocks_and_files(tmp_path: Path) -> None:
    """A header that goes on from memory into a file is read to its end."""
    path = tmp_path / "content"
    path.write_bytes(b"X: " + b"y" * 70000 + b"\r\nDelivered-To: ann@example.org\r\n\r\nbody")
    assert has_been_at(ANN, delivered_to(Content(b"Received: here\r\n", path, path.stat().st_size)))


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header without end is not read to its end."""
    monkeypatch.setattr(maildir_content, "HEADER_LIMIT", 100)
    content = Content(b"X: y\r\n" * 50 + b"Delivered-To: ann@example.org\r\n\r\n")
    assert delivered_to(content) == frozenset()
