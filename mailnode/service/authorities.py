"""Put authentication together: who knows the passwords, whose tokens are believed, and what a listener offers of it.

Only a listener that offers AUTH needs any of it, so all of it is imported late.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.interfaces import AuthExchange, Authority, Credentials, Disk
from mailnode.mail.message import Peer
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.trouble import StartFailed

if TYPE_CHECKING:
    from mailnode.authentication.settings import AuthSettings
    from mailnode.authentication.tokens import Tokens

WITH_PEOPLE = ("submission", "odmr")
"""Services whose clients are people and their programs, who authenticate."""


def offers_auth(listener: ListenerSettings) -> bool:
    """Tell whether clients of this listener can authenticate."""
    return listener.auth == "on" or (listener.auth == "auto" and listener.service in WITH_PEOPLE)


class LateAuthority:
    """Stands for the authority that ``make`` makes, with the first client that may authenticate; implements Authority."""

    def __init__(self, make: Callable[[], Authority]) -> None:
        self._make = make
        self._made: Authority | None = None

    @property
    def authority(self) -> Authority:
        """Give the authority, made by now."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """Ask it."""
        return self.authority.mechanisms(peer)

    def begin(self, peer: Peer, mechanism: str) -> AuthExchange:
        """Begin with it."""
        return self.authority.begin(peer, mechanism)


def authority_for(
    settings: NodeSettings, directory: SqliteDirectory, disk: Disk, reactor: Any, is_trusted: Callable[[str], bool]
) -> Authority:
    """Make the authority of these settings, late; raises StartFailed when whoever knows the passwords cannot be asked."""
    made = LateAuthority(lambda: _authority(settings, directory, disk, reactor, is_trusted))
    if settings.auth.source != "accounts":
        made.authority  # noqa: B018 - asking for it makes it: what is wrong is better said now than to the first client
    return made


def _authority(
    settings: NodeSettings, directory: SqliteDirectory, disk: Disk, reactor: Any, is_trusted: Callable[[str], bool]
) -> Authority:
    from mailnode.authentication.authority import SaslAuthority  # noqa: PLC0415
    from mailnode.authentication.proof import Ground  # noqa: PLC0415
    from mailnode.authentication.watch import Watch  # noqa: PLC0415

    auth = settings.auth
    try:
        credentials = credentials_for(auth, directory, disk, reactor)
    except ValueError as error:
        raise StartFailed(f"auth.source: {error}") from None
    watch = Watch(auth, reactor, is_trusted)
    return SaslAuthority(Ground(auth, credentials, watch), _tokens_for(auth, disk, reactor))


def credentials_for(auth: "AuthSettings", directory: SqliteDirectory, disk: Disk, reactor: Any) -> Credentials:
    """Make what knows the passwords; ValueError says why it cannot be made."""
    if auth.source == "accounts":
        from mailnode.accounts.credentials import AccountCredentials  # noqa: PLC0415

        return AccountCredentials(directory, disk, reactor, at_once=auth.checks_at_once, remember=auth.remember)
    if auth.source == "ldap":
        from mailnode.authentication import ldap  # noqa: PLC0415

        ldap.the_library()
        return ldap.LdapCredentials(auth.ldap, disk, at_once=auth.checks_at_once)
    if auth.source == "pam":
        from mailnode.authentication import pam  # noqa: PLC0415

        pam.the_library()
        return pam.PamCredentials(auth.pam_service, disk, at_once=auth.checks_at_once)
    from mailnode.authentication.checkers import CheckerCredentials, checker_named  # noqa: PLC0415

    return CheckerCredentials(checker_named(auth.source))


def _tokens_for(auth: "AuthSettings", disk: Disk, reactor: Any) -> "Callable[[], Tokens] | None":
    oauth = auth.oauth
    if not (oauth.introspection_url or oauth.keys or oauth.keys_url):
        return None

    def make() -> "Tokens":
        from mailnode.authentication.introspection import Introspection  # noqa: PLC0415
        from mailnode.authentication.jwts import JwtReader  # noqa: PLC0415
        from mailnode.authentication.tokens import Reader, Tokens  # noqa: PLC0415
        from mailnode.authentication.web import Web  # noqa: PLC0415

        web = Web(reactor, oauth.timeout)
        reader: Reader
        if oauth.introspection_url:
            file = oauth.client_secret_file
            secret = Path(file).read_text("utf-8").rstrip("\n") if file else ""
            reader = Introspection(oauth, web, reactor, secret)
        else:
            reader = JwtReader(oauth, web, disk, reactor)
        return Tokens(oauth, reader, reactor)

    return make
