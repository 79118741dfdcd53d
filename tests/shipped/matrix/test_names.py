"""Tests of Matrix users that stand for mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.matrix.names import Puppets, is_alias, is_among, is_user

PUPPETS = Puppets("mail_", "matrix.example", "mail")


@given(st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,40}", fullmatch=True))
def test_an_address_and_its_user_are_one_to_one(local_part: str) -> None:
    """Whatever a local part holds."""
    address = f"{local_part}@home.example"
    user = PUPPETS.user(address)
    assert is_user(user)
    assert PUPPETS.address(user) == address


def test_how_it_looks() -> None:
    """As the appendix of Matrix recommends."""
    assert PUPPETS.user("Ann+x@home.example") == "@mail_ann+x=40home.example:matrix.example"


@pytest.mark.parametrize(
    "user",
    ["@bob:matrix.example", "@mail_x:matrix.example", "@mail_ann=40home.example:other.example", "@mail_=ff:matrix.example",
     "@mail_a=41=40b:matrix.example", "mail_a=40b:matrix.example", "@mail:matrix.example", ""],
)  # fmt: skip
def test_who_stands_for_no_address(user: str) -> None:
    """Other people, other servers, forms that nobody writes."""
    assert not PUPPETS.address(user)


def test_patterns_and_forms() -> None:
    """Users, aliases, and who is among whom."""
    assert is_alias("#ops:matrix.example")
    assert not is_alias("#ops")
    assert not is_user("@a b:x")
    assert is_among("@bob:matrix.example", ("@*:matrix.example",))
    assert not is_among("@bob:matrix.example.evil", ("@*:matrix.example",))
    assert PUPPETS.is_ours("@mail:matrix.example")
    assert PUPPETS.is_ours("@mail_whoever:matrix.example")
    assert not PUPPETS.is_ours("@mail_x:other.example")
