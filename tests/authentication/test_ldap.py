"""What is asked of an LDAP server; a real one is asked in the scenarios."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.authentication import ldap
from mailnode.authentication.ldap import LdapCredentials
from mailnode.authentication.settings import LdapSettings
from mailnode.interfaces import CredentialsTrouble, Standing
from mailnode.mail.address import Mailbox
from tests.kit.results import InlineDisk, now

ANN = Mailbox("ann", "example.org")


class LDAPError(Exception):
    """Something with the server."""


class InvalidCredentialsError(LDAPError):
    """The password is wrong."""


class Library:
    """Stands for the library, the server and its one user."""

    LDAPError = LDAPError
    INVALID_CREDENTIALS = InvalidCredentialsError
    filter = type("filter", (), {"escape_filter_chars": staticmethod(lambda text: text.replace("*", r"\2a"))})

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.found: list[tuple[str | None, object]] = [("cn=ann", {}), (None, ["a referral"])]

    def __getattr__(self, name: str) -> Any:
        if name.isupper():
            return name
        return lambda *arguments: self.calls.append((name, *arguments))

    def initialize(self, url: str) -> "Library":
        """Be the connection too."""
        self.calls.append(("initialize", url))
        return self

    def simple_bind_s(self, name: str, password: str) -> None:
        """Know ann's password and the searcher's."""
        if (name, password) not in (("cn=ann", "secret"), ("cn=reader", "r")):
            raise InvalidCredentialsError

    def search_ext_s(self, base: str, scope: str, wanted: str, *_: object, **__: object) -> Any:
        """Find what the test says."""
        self.calls.append(("search", base, wanted))
        return self.found


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Take the library's place."""
    made = Library()
    monkeypatch.setattr(ldap, "the_library", lambda: made)
    return made


def asked(**settings: Any) -> LdapCredentials:
    """Make credentials."""
    return LdapCredentials(LdapSettings(base="dc=example", **settings), InlineDisk(), at_once=1)


def test_a_password_is_good_when_its_owner_can_bind(library: Library) -> None:
    """Its own is, another is not, an empty one is never tried; the connection is closed each time."""
    assert now(asked().verify(ANN, "secret")) is Standing.ACTIVE
    assert now(asked().verify(ANN, "wrong")) is Standing.UNKNOWN
    assert now(asked().verify(ANN, "")) is Standing.UNKNOWN
    assert now(asked().standing(ANN)) is Standing.ACTIVE
    assert [call[0] for call in library.calls].count("unbind_s") == 4


def test_nobody_found_or_several_is_nobody(library: Library) -> None:
    """Who could be two is neither; what a name means in a filter is taken away."""
    library.found = []
    assert now(asked().verify(Mailbox("*", "example.org"), "x")) is Standing.UNKNOWN
    assert ("search", "dc=example", r"(&(objectClass=inetOrgPerson)(mail=\2a@example.org))") in library.calls
    library.found = [("cn=ann", {}), ("cn=anna", {})]
    assert now(asked(filter="(uid={user})").verify(ANN, "secret")) is Standing.UNKNOWN
    assert ("search", "dc=example", "(uid=ann)") in library.calls


def test_the_searcher_has_a_password_of_its_own(library: Library, tmp_path: Path) -> None:
    """A wrong one is trouble of ours, and nobody's fault."""
    file = tmp_path / "password"
    file.write_text("r\n")
    made = asked(bind_dn="cn=reader", bind_password_file=str(file), start_tls=True, ca_file="/ca.pem")
    assert now(made.verify(ANN, "secret")) is Standing.ACTIVE
    assert ("start_tls_s",) in library.calls
    file.write_text("wrong")
    with pytest.raises(CredentialsTrouble, match="cn=reader"):
        now(made.verify(ANN, "secret"))
    file.unlink()
    with pytest.raises(CredentialsTrouble):
        now(made.verify(ANN, "secret"))


def test_it_has_no_verifiers() -> None:
    """So no SCRAM."""
    made = asked()
    assert not made.has_verifiers
    with pytest.raises(CredentialsTrouble):
        now(made.verifier(ANN))
    made.close()
