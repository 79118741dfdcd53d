"""Domains of ours, as read from settings."""

import pytest

from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.route import Lane
from mailnode.routing.domains import is_safe_folder, read_domain, read_member
from mailnode.routing.settings import DomainSettings


def test_settings_become_values() -> None:
    """Names are folded, bare local parts get the domain, U-labels become A-labels."""
    domain = read_domain(
        DomainSettings("Bücher.example", aliases={"Staff": ("ann", "bob@Grün.example")}, catch_all="eve")
    )
    assert domain.name == "xn--bcher-kva.example"
    assert domain.members("STAFF") == (Mailbox("ann", "xn--bcher-kva.example"), Mailbox("bob", "xn--grn-ioa.example"))
    assert domain.members("nobody") == ()
    assert domain.catch_all == Mailbox("eve", "xn--bcher-kva.example")
    assert domain.lane == Lane("maildir")
    assert domain.has_folders
    assert read_domain(DomainSettings("a.example")).catch_all == NULL


def test_readings_of_a_local_part() -> None:
    """The tag is cut at the first separator; a tag of nobody is no tag."""
    domain = read_domain(DomainSettings("a.example"))
    assert domain.readings("ann+x+y") == ("ann+x+y", "ann")
    assert domain.readings("ann+") == ("ann+", "ann")
    assert domain.readings("+x") == ("+x",)
    assert domain.readings("ann") == ("ann",)
    assert read_domain(DomainSettings("a.example", separator="")).readings("ann+x") == ("ann+x",)


def test_members_that_are_no_addresses() -> None:
    """Junk among the members is a ValueError."""
    for text in ("", "a b", "ann@", "ann@a..b"):
        with pytest.raises(ValueError, match=r"."):
            read_member(text, "a.example")
    assert read_member("ann@[192.0.2.1]", "a.example").domain == "[192.0.2.1]"


@pytest.mark.parametrize(
    ("name", "is_safe"),
    [("ann", True), ("ann smith", True), ("änn", True), ("..", False), (".", False), ("", False), ("a/..", False), ("a\0", False),
     ("a\n", False), ("ä" * 33, False), ("a" * 64, True)],
)  # fmt: skip
def test_names_of_folders(name: str, is_safe: bool) -> None:
    """Only what stays a visible folder of its own is safe."""
    assert is_safe_folder(name) is is_safe
