"""Address lists are read in place."""

from email.headerregistry import HeaderRegistry

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.addresslist import MAX_COMMENT, read_list


@pytest.mark.rfc("5322", "3.4")
def test_a_list_with_everything() -> None:
    """Names, comments, groups, quotes, literals and routes: each address is found where it ends."""
    value = b'Ann <a@a.example> (x), "b, b"@b.example, g: c@[192.0.2.1], d;, <@r.example:e@e.example>'
    listed = read_list(value)
    assert listed is not None
    assert [one.spec for one in listed.addresses] == [
        b"a@a.example", b'"b, b"@b.example', b"c@[192.0.2.1]", b"d", b"e@e.example",
    ]  # fmt: skip
    assert [one.is_bare for one in listed.addresses] == [False, False, False, True, False]
    assert all(value[: one.end].endswith(one.spec) for one in listed.addresses)
    assert listed.addresses[1].mailbox == Mailbox("b, b", "b.example")
    assert listed.addresses[3].mailbox == NULL


@pytest.mark.parametrize(
    "value", [b'"x', b"(x", b"<x", b"[x", b"x\\", b"(" * (MAX_COMMENT + 1) + b")" * (MAX_COMMENT + 1)]
)
def test_what_is_never_closed_is_no_list(value: bytes) -> None:
    """An open quote, comment or bracket makes it no list at all."""
    assert read_list(value) is None


@pytest.mark.parametrize("value", [b"", b",,", b"<>", b"x <a> >", b"a b c", b"g:;", b"a@", b"<x"[:0]])
def test_what_names_nobody_or_makes_no_sense_is_read(value: bytes) -> None:
    """Nothing of that kind raises."""
    listed = read_list(value)
    assert listed is not None
    assert len(listed.addresses) <= 1


_PLAIN = st.lists(
    st.from_regex(r"([A-Z][a-z]{0,5} <)?[a-z]{1,6}@[a-z]{1,6}\.example", fullmatch=True), min_size=1, max_size=5
)


@given(_PLAIN)
def test_it_agrees_with_another_parser(addresses: list[str]) -> None:
    """Python's own parser finds the same addresses."""
    closed = [one + ">" if "<" in one else one for one in addresses]
    listed = read_list(", ".join(closed).encode())
    assert listed is not None
    theirs = HeaderRegistry()("to", ", ".join(closed)).addresses  # type: ignore[attr-defined]
    assert [one.spec.decode() for one in listed.addresses] == [one.addr_spec for one in theirs]


@given(st.binary(max_size=60))
def test_any_octets_are_read(value: bytes) -> None:
    """No octets raise, and places lie within them, in order."""
    listed = read_list(value)
    if listed is not None:
        ends = [one.end for one in listed.addresses]
        assert ends == sorted(ends)
        assert all(0 < end <= len(value) for end in ends)
