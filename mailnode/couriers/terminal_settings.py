"""Settings of the terminal courier; apart from it, since most nodes never load it."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from mailnode.mail.quantity import Octets


@frozen
class TerminalSettings:
    """Messages onto the terminals of users who are logged in (SEND, SOML and SAML: RFC 821 section 3.4)."""

    enabled: bool = False
    """Offer SEND, SOML and SAML."""
    senders: Literal["trusted", "all"] = "trusted"
    """Who may write to terminals: clients that may send to anywhere, or everybody."""
    users: Mapping[str, str] = field(factory=dict)
    """Addresses and the login name of whoever has each."""
    domains: tuple[str, ...] = ()
    """Domains of ours whose local parts are login names on this machine; users has precedence."""
    utmp: str = "/run/utmp"
    """The system's record of who is logged in; empty: none is read."""
    sessions: str = "/run/systemd/sessions"
    """The folder where systemd-logind keeps its sessions; empty: none is read."""
    devices: str = "/dev"
    """The folder of the terminals."""
    max_text: Octets = Octets(4000)
    """Octets of a message that a terminal gets; the rest is left out, and that is said."""
