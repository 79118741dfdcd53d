"""Passwords checked by an LDAP server: the user is searched, and then bound as (RFC 4511, RFC 4513 section 5.1; an extra).

The library (python-ldap) blocks, so each question has a thread and a connection of its own, a few at a time. An empty
password would be an unauthenticated bind, which servers grant to everybody (RFC 4513 section 5.1.2): it never gets here.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from twisted.internet.defer import DeferredSemaphore

from mailnode.authentication.settings import LdapSettings
from mailnode.interfaces import CredentialsTrouble, Disk, Standing, Verifier
from mailnode.mail.address import Mailbox


def the_library() -> ModuleType:
    """Import python-ldap; ValueError when it is not installed."""
    try:
        import_module("ldap.filter")
        return import_module("ldap")
    except ImportError as error:
        raise ValueError(f'"ldap" needs python-ldap: pip install "mailnode[ldap]" ({error})') from None


class LdapCredentials:
    """Asks the server; implements interfaces.Credentials."""

    has_verifiers = False

    def __init__(self, settings: LdapSettings, disk: Disk, *, at_once: int) -> None:
        self._settings = settings
        self._disk = disk
        self._turns = DeferredSemaphore(at_once)

    async def verify(self, account: Mailbox, password: str) -> Standing:
        """Check a password."""
        return await self._turn(account, password)

    async def standing(self, account: Mailbox) -> Standing:
        """Tell whether there is such a user."""
        return await self._turn(account, None)

    async def verifier(self, account: Mailbox) -> Verifier:
        """Not to be asked: the server shows no verifiers."""
        raise CredentialsTrouble(f"there is no verifier for {account}")

    def close(self) -> None:
        """Nothing to let go of."""

    async def _turn(self, account: Mailbox, password: str | None) -> Standing:
        turn = await self._turns.acquire()
        try:
            return await self._disk.run(lambda: self._asked(account, password))
        finally:
            turn.release()

    def _asked(self, account: Mailbox, password: str | None) -> Standing:
        ldap = the_library()
        try:
            return self._searched_and_bound(ldap, account, password)
        except ldap.INVALID_CREDENTIALS:
            return Standing.UNKNOWN
        except (ldap.LDAPError, OSError) as error:
            raise CredentialsTrouble(f"{self._settings.url}: {type(error).__name__}") from None

    def _searched_and_bound(self, ldap: Any, account: Mailbox, password: str | None) -> Standing:
        server = self._connected(ldap)
        try:
            self._bind_as_searcher(ldap, server)
            name = self._found(ldap, server, account)
            if not name:
                return Standing.UNKNOWN
            if password is not None:
                if not password:
                    return Standing.UNKNOWN
                server.simple_bind_s(name, password)
            return Standing.ACTIVE
        finally:
            server.unbind_s()

    def _connected(self, ldap: Any) -> Any:
        settings = self._settings
        server = ldap.initialize(settings.url)
        for option in (ldap.OPT_NETWORK_TIMEOUT, ldap.OPT_TIMEOUT):
            server.set_option(option, float(settings.timeout))
        server.set_option(ldap.OPT_REFERRALS, 0)
        if settings.ca_file:
            server.set_option(ldap.OPT_X_TLS_CACERTFILE, settings.ca_file)
        if settings.start_tls or settings.url.startswith("ldaps:"):
            server.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
            server.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        if settings.start_tls:
            server.start_tls_s()
        return server

    def _bind_as_searcher(self, ldap: Any, server: Any) -> None:
        settings = self._settings
        if not settings.bind_dn:
            return
        secret = (
            Path(settings.bind_password_file).read_text("utf-8").rstrip("\n") if settings.bind_password_file else ""
        )
        try:
            server.simple_bind_s(settings.bind_dn, secret)
        except ldap.INVALID_CREDENTIALS:
            raise CredentialsTrouble(f"{settings.url} does not take the password of {settings.bind_dn}") from None

    def _found(self, ldap: Any, server: Any, account: Mailbox) -> str:
        """Find the one user; none when there are several, for nobody could say which of them it is."""
        escaped = ldap.filter.escape_filter_chars
        parts = {"{address}": str(account), "{user}": account.local_part, "{domain}": account.domain}
        wanted = self._settings.filter
        for part, value in parts.items():
            wanted = wanted.replace(part, escaped(value))
        found = server.search_ext_s(self._settings.base, ldap.SCOPE_SUBTREE, wanted, ["1.1"], sizelimit=2)
        names = [name for name, _ in found if name]
        return names[0] if len(names) == 1 else ""
