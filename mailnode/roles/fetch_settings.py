"""Settings of the providers that keep mail for us until we call (RFC 2645, RFC 1985)."""

from typing import Literal

from attrs import field, frozen

from mailnode.mail.quantity import Seconds
from mailnode.routing.terms import Level, Terms

ODMR_PORT = 366


@frozen
class FetchSettings:
    """A ``[[fetch]]``: a provider that keeps mail for us until we call."""

    name: str = ""
    """Its name in logs and for "mailnode fetch"; empty: the host."""
    host: str = ""
    """The provider's host name or address."""
    port: int = ODMR_PORT
    """Where it listens: 366 for atrn, mostly 25 for etrn."""
    method: Literal["atrn", "etrn"] = "atrn"
    """atrn: take the mail over our own connection; etrn: have the provider's queue started, which then connects to us."""
    domains: tuple[str, ...] = ()
    """Domains to call for; for atrn none means all that the provider keeps for us."""
    username: str = ""
    """As whom to authenticate; atrn needs it."""
    password_file: str = field(default="", repr=False)
    """A file whose first line is the password."""
    tls: Level = "verify"
    """How much TLS there must be: none, may, encrypt, verify or implicit, as for a route."""
    auth_without_tls: bool = False
    """Send the password in clear text if need be; CRAM-MD5 does not send it, and needs no such leave."""
    interval: Seconds = Seconds(900)
    """How long to wait between two calls; "0s": only when "mailnode fetch" asks for it."""

    @property
    def title(self) -> str:
        """Give the name it goes by."""
        return self.name or self.host

    @property
    def terms(self) -> Terms:
        """Give the terms of a call."""
        return Terms(
            tls=self.tls,
            username=self.username,
            password_file=self.password_file,
            auth_without_tls=self.auth_without_tls,
        )

    @property
    def next_hop(self) -> str:
        """Give the provider as the SMTP courier finds it: this very host."""
        return f"[{self.host}]:{self.port}"
