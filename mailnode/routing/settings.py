"""Settings of routing: our domains, the routes of others, and the DNS servers."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from mailnode.mail.quantity import Seconds
from mailnode.routing.terms import Terms, Wish

MovedAnswer = Literal["forward", "tell"]
"""What is done with mail for a user who has moved (RFC 5321 section 3.4)."""


@frozen
class DomainSettings:
    """A ``[[domain]]``: mail for it is ours."""

    name: str = ""
    """The domain, as A-labels or U-labels; no wildcard."""
    courier: str = "maildir"
    """What takes its mail: maildir, mbox, lmtp, a gateway's name, or odmr, where it waits until a customer calls for it."""
    next_hop: str = ""
    """Where the courier goes, for couriers that go somewhere (lmtp)."""
    accounts: Literal["known", "any"] = "known"
    """known: only existing accounts and aliases; any: every local part is taken. Counts for each courier: whoever hands
    a domain to an lmtp server that knows its users by itself writes any."""
    aliases: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Local part to members: addresses, or local parts of this domain. One member is an alias, more are a list."""
    catch_all: str = ""
    """The address that gets what nobody else takes; empty: such mail is refused."""
    moved: Mapping[str, str] = field(factory=dict)
    """Local part of a user who has moved to the new address; "forward" or "tell" before it says otherwise than moved_answer."""
    moved_answer: MovedAnswer = "forward"
    """forward: the mail goes on to the new address, and the sender is told so (251); tell: it is refused with the new
    address (551). A few programs take no other success than 250 (swaks): for them an alias forwards without a word."""
    separator: str = "+"
    """What parts a user from a tag (ann+shop); one character, or empty for no subaddresses (RFC 5233)."""


@frozen
class RouteSettings:
    """A ``[[route]]``: the first that matches says where mail of other domains goes."""

    match: str = "*"
    """``"user@example.org"``, ``"example.org"``, ``"*.example.org"`` (all beneath it, not itself) or ``"*"``."""
    courier: str = "smtp"
    """What carries the mail: smtp, lmtp or a gateway's name."""
    next_hop: str = ""
    """``"example.org"`` (its MX), ``"[relay.example.org]:26"``, ``"[192.0.2.7]"``; empty: the MX of the address's own domain."""
    tls: Wish = ""
    """none, may, encrypt, verify or implicit (see [smtp]); empty: as [smtp] or [lmtp] says, but verify where there is a username."""
    tls_names: tuple[str, ...] = ()
    """Host names of which the certificate must have one, where tls is verify or implicit; empty: the next hop's own name."""
    username: str = ""
    """The name to authenticate with at the next hop; empty: no AUTH."""
    password_file: str = ""
    """The file whose first line is the password; only the node's user should be able to read it."""
    auth_without_tls: bool = False
    """Whether the password may go over the wire in clear text."""

    @property
    def terms(self) -> Terms:
        """Give the terms of this route; a password goes only to a host that has shown who it is, unless tls says otherwise."""
        tls: Wish = self.tls or ("verify" if self.username else "")
        return Terms(tls, self.tls_names, self.username, self.password_file, self.auth_without_tls)

    @property
    def carried_by(self) -> str:
        """Give the courier's name, terms and all."""
        return self.courier + self.terms.suffix


@frozen
class ResolverSettings:
    """``[resolver]``: how the DNS is asked."""

    servers: tuple[str, ...] = ()
    """Recursive servers, ``"127.0.0.1:53"``, ``"[::1]:53"``; empty: those of ``resolv_conf``."""
    resolv_conf: str = "/etc/resolv.conf"
    """Where the system lists its servers; only ``nameserver`` lines count."""
    hosts: str = "/etc/hosts"
    """A file of addresses that stand above the DNS; empty: none."""
    timeout: Seconds = Seconds(3)
    """How long one server has for one try."""
    attempts: int = 2
    """How many times each server is tried."""
    patience: Seconds = Seconds(15)
    """How long a lookup may take in all, aliases and retries included."""
    trust_ad: Literal["loopback", "always", "never"] = "loopback"
    """Whose AD bit counts: it is worth no more than the path it came along (RFC 6840 section 5.8)."""
    cache_entries: int = 10_000
    """Answers kept; 0 keeps none."""
    max_ttl: Seconds = Seconds(86400)
    """An answer is kept no longer than this."""
    max_negative_ttl: Seconds = Seconds(3600)
    """The absence of a name or record is kept no longer than this (RFC 2308 section 5)."""
    concurrency: int = 200
    """Questions under way at once, each with its own socket; more wait."""
