"""Tests of the addresses of lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.api import parse_mailbox
from mailnode.shipped.mailing_list.names import POST, ROLES, Place, check_name, read_place

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name.rpartition("-")[2] not in ROLES
)
TOKENS = st.from_regex(r"[a-z0-9-]{1,31}", fullmatch=True)


@given(NAMES, st.sampled_from([POST, *ROLES]), TOKENS, st.lists(NAMES))
def test_what_is_written_is_read(name: str, role: str, token: str, others: list[str]) -> None:
    """Whatever other lists there are, in either case of the letters."""
    place = Place(name, role, token if role in ("unsubscribe", "confirm", "bounces") else "")
    assert read_place(place.local_part.upper(), {name, *others}) == place
    check_name(name)


@given(st.text(max_size=64))
def test_whatever_stands_there_is_read_or_is_none(local_part: str) -> None:
    """No octets raise, and what is read is written the same."""
    place = read_place(local_part, {"news", "a.b"})
    assert place is None or place.local_part == local_part.lower()


@pytest.mark.rfc("5321", "4.5.3.1.1")
def test_the_longest_name_and_token_fit_into_a_local_part() -> None:
    """64 octets."""
    name = "n" * 24
    check_name(name)
    for role, token in (
        ("confirm", "a-apv8-zzzz-aaaaaaaaaaaaaaaa"), ("unsubscribe", "zzzzzz-aaaaaaaaaaaaaaaa"),
        ("bounces", "zzzzzz-aaaaaaaaaaaaaaaa"),
    ):  # fmt: skip
        parse_mailbox(f"{Place(name, role, token).local_part}@lists.example")


@pytest.mark.parametrize("name", ["", "News", "-a", "a-", "a b", "a..b", "n" * 25, "a-owner", "x/y", "ä"])
def test_names_no_list_can_have(name: str) -> None:
    """They would be no address, or another list's."""
    with pytest.raises(ValueError):
        check_name(name)
