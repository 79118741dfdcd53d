"""Where mailboxes lie, and which names are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.couriers.maildir_path import BadName, mailbox_path, make_folders
from mailnode.mail.address import Mailbox


def test_a_mailbox_is_a_folder_in_its_domain() -> None:
    """Spellings of one address give one path."""
    assert mailbox_path("/mail", Mailbox("Ann", "Example.ORG")) == "/mail/example.org/ann"
    assert mailbox_path("/mail", Mailbox("ann", "example.org")) == "/mail/example.org/ann"


@pytest.mark.parametrize(
    "local_part",
    ["", ".", "..", "../ann", "a/b", "/etc", ".ann", "a\0b", "a\nb", "a\x7fb", "a\ud800b", "x" * 241, "é" * 121],
)
def test_hostile_names_are_refused(local_part: str) -> None:
    """What is no plain, visible, short name cannot be a mailbox."""
    with pytest.raises(BadName):
        mailbox_path("/mail", Mailbox(local_part, "example.org"))


def test_a_mailbox_without_domain_is_refused() -> None:
    """A bare postmaster must have been given its domain by the router."""
    with pytest.raises(BadName):
        mailbox_path("/mail", Mailbox("postmaster", ""))


@given(st.text(), st.sampled_from(["example.org", "[127.0.0.1]"]))
def test_no_address_leads_out_of_the_root(local_part: str, domain: str) -> None:
    """Whatever the local part, the path is two steps below the root, or there is none."""
    try:
        path = Path(mailbox_path("/mail", Mailbox(local_part, domain)))
    except BadName:
        return
    assert path.parent.parent == Path("/mail")
    assert ".." not in path.parts


def test_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    """New folders have mode 0700; those that exist are left as they are."""
    (tmp_path / "a").mkdir(mode=0o755)
    make_folders([str(tmp_path / "a"), str(tmp_path / "a" / "b")])
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
