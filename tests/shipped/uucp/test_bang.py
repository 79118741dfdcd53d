"""Tests of bang paths and From_ lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import NULL, parse_mailbox
from mailnode.shipped.uucp.bang import collapsed, mailbox_of, path_of
from mailnode.shipped.uucp.from_line import read_from_lines, write_from_line

hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?(\.[a-z]{2,4})?", fullmatch=True)
users = st.from_regex(r"[a-z0-9_+=]{1,8}(\.[a-z0-9]{1,4})?", fullmatch=True)


@pytest.mark.rfc("976", "2.1")
@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("host!ann", "ann@host"),
        ("example.org!ann", "ann@example.org"),
        ("mars!venus!ann", "ann%venus@mars"),
        ("a!b!c!ann", "ann%c%b@a"),
        ("mars!ann@example.org", "ann%example.org@mars"),
        ("ann@example.org", "ann@example.org"),
    ],
)
def test_paths_are_addresses(path: str, address: str) -> None:
    """The first host is where it goes next."""
    assert str(mailbox_of(path)) == address


@pytest.mark.parametrize(
    "path", ["", "!", "a!", "!a", "a b!c", "a!b c", "-x!y", "a!b%c", "a!" * 30 + "b", "a!\nb", "a!b!c@"]
)
def test_what_is_no_path(path: str) -> None:
    """ValueError, never another address."""
    with pytest.raises(ValueError, match=r"."):
        mailbox_of(path)


@given(st.lists(hosts, min_size=1, max_size=3), users)
def test_a_path_comes_back(through: list[str], user: str) -> None:
    """From path to address to path."""
    path = "!".join([*through, user])
    assert path_of(mailbox_of(path)) == path


@given(users, hosts)
def test_an_address_comes_back(user: str, host: str) -> None:
    """From address to path to address."""
    mailbox = parse_mailbox(f"{user}@{host}")
    assert mailbox_of(path_of(mailbox)) == mailbox


@given(st.text(alphabet="ab!%@.-\n ", max_size=20))
def test_whatever_is_taken_comes_back(path: str) -> None:
    """Hostile text is refused, or is one address and no other."""
    try:
        mailbox = mailbox_of(path)
        back = path_of(mailbox)
    except ValueError:
        return
    assert mailbox_of(back) == mailbox


def test_a_known_name_needs_no_way() -> None:
    """What lies before a full name was only how it came."""
    assert str(collapsed(["mars", "mx.example.org"], "ann")) == "ann@mx.example.org"
    assert str(collapsed(["mars", "venus"], "ann")) == "ann%venus@mars"
    assert str(collapsed(["mars"], "ann@example.org")) == "ann@example.org"


@pytest.mark.rfc("976", "2.4")
@pytest.mark.parametrize(
    ("lines", "sender", "path"),
    [
        (b"From ann Sat Nov 21 2026 remote from mars\n", "ann@mars", "mars!ann"),
        (b"From mars!ann Sat Nov 21 2026 remote from mars\n", "ann@mars", "mars!ann"),
        (b"From ann Sat remote from mars\n>From ann Sat remote from venus\n", "ann%venus@mars", "mars!venus!ann"),
        (b"From example.org!ann Sat remote from mars\r\n", "ann@example.org", "mars!example.org!ann"),
        (b"From ann@example.org Sat\n", "ann@example.org", "ann@example.org"),
        (b"From MAILER-DAEMON Sat remote from mars\n", "", "mars!MAILER-DAEMON"),
    ],
)
def test_from_lines_tell_the_way(lines: bytes, sender: str, path: str) -> None:
    """The nearest host first; the message begins behind them."""
    origin = read_from_lines(lines + b"Subject: x\n\nFrom me\n")
    assert (str(origin.sender), origin.path, origin.length) == (sender, path, len(lines))


@pytest.mark.parametrize(
    "lines", [b"", b"Subject: x\n", b"From \n", b"From a b@c\xff!d x\n", b"From a!" * 400 + b"x y\n", b"From ann\n"]
)
def test_bad_from_lines(lines: bytes) -> None:
    """ValueError."""
    with pytest.raises(ValueError, match=r"."):
        read_from_lines(lines)


def test_what_we_write_we_read() -> None:
    """With us before the sender, and the null sender too."""
    line = write_from_line(parse_mailbox("ann@example.org"), "earth", 0.0)
    assert line == b"From example.org!ann Thu Jan  1 00:00:00 1970 remote from earth\n"
    assert str(read_from_lines(line).sender) == "ann@example.org"
    assert read_from_lines(write_from_line(NULL, "earth", 0.0)).sender == NULL
