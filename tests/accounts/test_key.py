"""The spelling of account keys."""

from mailnode.accounts.key import fold, folded, key_of
from mailnode.mail.address import Mailbox


def test_a_key_is_domain_and_local_part_folded() -> None:
    """The domain comes first, both in lower case."""
    assert key_of(Mailbox("Ann", "Example.ORG")) == ("example.org", "ann")


def test_composed_and_decomposed_letters_are_one() -> None:
    """Letters that look alike have one spelling, whatever their case was."""
    assert fold("ZOE\u0308") == fold("zoë") == "zoë"


def test_no_domain_is_folded_to_none() -> None:
    """An empty domain stays empty; it stands for all domains."""
    assert folded("") == ""
    assert folded("EXAMPLE.org") == "example.org"
