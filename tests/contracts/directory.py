"""What every Directory must do: one suite, run against each implementation.

A test file makes a class of ``DirectoryContract`` with a ``directory`` fixture.
"""

import pytest

from mailnode.interfaces import Directory
from mailnode.mail.account import Account, AccountChange
from mailnode.mail.address import Mailbox
from tests.kit.results import now

ANN = Mailbox("ann", "example.org")
BOB = Mailbox("bob", "example.org")
EVE = Mailbox("eve", "example.net")


class DirectoryContract:
    """The claims of interfaces.Directory."""

    def test_nobody_lives_in_an_empty_directory(self, directory: Directory) -> None:
        """An address that was never added is not found."""
        assert now(directory.find(ANN)) is False
        assert now(directory.names()) == []

    def test_an_added_mailbox_is_found(self, directory: Directory) -> None:
        """After add the address is found, also when its absence was just answered; others still are not."""
        assert not now(directory.find(ANN))
        now(directory.add(ANN))
        assert now(directory.find(ANN)) is True
        assert now(directory.find(BOB)) is False

    def test_a_removed_mailbox_is_gone(self, directory: Directory) -> None:
        """After remove the address is not found, also when it was found just before."""
        now(directory.add(ANN))
        assert now(directory.find(ANN))
        now(directory.remove(ANN))
        assert now(directory.find(ANN)) is False

    @pytest.mark.rfc("5321", "2.4")
    def test_case_does_not_matter(self, directory: Directory) -> None:
        """Any spelling of the address in upper and lower case, composed or not, is the same mailbox."""
        now(directory.add(Mailbox("Zoë.Ann", "Example.ORG")))
        assert now(directory.find(Mailbox("zoë.ann", "example.org")))
        assert now(directory.find(Mailbox("ZOE\u0308.ANN", "EXAMPLE.org")))
        with pytest.raises(ValueError, match="known already"):
            now(directory.add(Mailbox("ZOË.ann", "example.org")))

    def test_adding_twice_is_an_error(self, directory: Directory) -> None:
        """A second add of the same mailbox raises ValueError and changes nothing."""
        now(directory.add(ANN))
        with pytest.raises(ValueError, match="known already"):
            now(directory.add(ANN))
        assert now(directory.names()) == [ANN]

    def test_removing_the_unknown_is_an_error(self, directory: Directory) -> None:
        """Remove of a mailbox that is not known raises LookupError."""
        with pytest.raises(LookupError, match="not known"):
            now(directory.remove(ANN))

    def test_names_are_sorted_and_selected_by_domain(self, directory: Directory) -> None:
        """``names`` sorts by domain, then local part; a domain in any case selects its own."""
        for mailbox in (BOB, EVE, ANN):
            now(directory.add(mailbox))
        assert now(directory.names()) == [EVE, ANN, BOB]
        assert now(directory.names("EXAMPLE.org")) == [ANN, BOB]
        assert now(directory.names("example.com")) == []

    def test_odd_local_parts_are_just_names(self, directory: Directory) -> None:
        """Quotes, blanks and SQL in a local part have no meaning."""
        odd = Mailbox("a' OR 1=1; --", "example.org")
        now(directory.add(odd))
        assert now(directory.find(odd))
        assert not now(directory.find(ANN))

    def test_who_has_no_full_name_has_an_empty_one(self, directory: Directory) -> None:
        """Neither an unknown mailbox nor one without a full name is an error."""
        now(directory.add(ANN))
        assert now(directory.describe(ANN)) == ""
        assert now(directory.describe(BOB)) == ""

    def test_an_account_can_be_changed(self, directory: Directory) -> None:
        """What is named changes, and the rest stays; of a password only its presence is shown."""
        now(directory.add(ANN, AccountChange(name="Ann", password="secret")))
        now(directory.add(BOB))
        now(directory.change(ANN, AccountChange(is_disabled=True, relayed_domains=("B.example", "a.example"))))
        ann, bob = now(directory.accounts("example.org"))
        assert ann == Account(
            ANN, "Ann", is_disabled=True, has_password=True, relayed_domains=("a.example", "b.example")
        )
        assert bob == Account(BOB)
        assert now(directory.describe(ANN)) == "Ann"
        now(directory.change(ANN, AccountChange(password="", name="", is_disabled=False, relayed_domains=())))
        assert now(directory.accounts()) == [Account(ANN), Account(BOB)]

    def test_changing_the_unknown_is_an_error(self, directory: Directory) -> None:
        """Change of a mailbox that is not known raises LookupError."""
        with pytest.raises(LookupError, match="not known"):
            now(directory.change(ANN, AccountChange(name="Ann")))

    def test_who_comes_back_begins_anew(self, directory: Directory) -> None:
        """Nothing of a removed account is left when one of its name is added."""
        now(
            directory.add(
                ANN, AccountChange(name="Ann", password="x", is_disabled=True, relayed_domains=("a.example",))
            )
        )
        now(directory.remove(ANN))
        now(directory.add(ANN))
        assert now(directory.accounts()) == [Account(ANN)]
