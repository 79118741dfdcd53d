"""The envelope: who the message is from and for, and what the sender asked for (RFC 5321 2.3.1, RFC 3461)."""

import enum
from collections.abc import Sequence
from functools import reduce
from operator import or_

from attrs import evolve, field, frozen

from mailnode.mail.address import Mailbox

REQUIRETLS = "REQUIRETLS"
"""The MAIL parameter that keeps a message on hops with TLS (RFC 8689 section 2)."""


class Body(enum.Enum):
    """What octets the content may hold: the BODY parameter (RFC 6152, RFC 3030)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"
    BINARY_MIME = "BINARYMIME"


class Manner(enum.Enum):
    """How it is to reach people: the verb that opened the transaction (RFC 821 section 3.4)."""

    MAIL = "MAIL"
    """Into the mailbox."""
    SEND = "SEND"
    """Onto the terminal, or not at all."""
    SOML = "SOML"
    """Onto the terminal, or else into the mailbox."""
    SAML = "SAML"
    """Onto the terminal and into the mailbox."""


class Return(enum.Enum):
    """How much of the message a failure notification gives back: the RET parameter (RFC 3461 section 4.3)."""

    UNSPECIFIED = ""
    FULL = "FULL"
    HEADERS = "HDRS"


class Notify(enum.Flag):
    """When the sender wants to hear of this recipient: the NOTIFY parameter (RFC 3461 section 4.1)."""

    UNSPECIFIED = 0
    """No NOTIFY was given: failure, and delay if the server pleases."""
    NEVER = enum.auto()
    SUCCESS = enum.auto()
    FAILURE = enum.auto()
    DELAY = enum.auto()


@frozen
class Recipient:
    """One address the message is for."""

    forward_path: Mailbox
    """Where it goes now: after aliases and forwards, no longer what the client typed."""
    notify: Notify = Notify.UNSPECIFIED
    original: str = ""
    """The ORCPT value, ``"rfc822;ann@example.org"``, xtext decoded; empty when none was given."""

    @property
    def wants_success(self) -> bool:
        """Tell whether a successful delivery owes the sender a DSN."""
        return Notify.SUCCESS in self.notify

    @property
    def wants_failure(self) -> bool:
        """Tell whether a failure owes the sender a DSN."""
        return self.notify is Notify.UNSPECIFIED or Notify.FAILURE in self.notify

    @property
    def wants_delay(self) -> bool:
        """Tell whether a delay may be reported to the sender."""
        return self.notify is Notify.UNSPECIFIED or Notify.DELAY in self.notify

    def united(self, other: "Recipient") -> "Recipient":
        """Give one recipient for both: named twice in a transaction, by one address or two that lead to one mailbox.

        What was asked for once is owed; NEVER holds only if it was said each time (RFC 3461 section 4.1). One report can
        bear one ORCPT: that of whoever asks for more.
        """
        wishes = [one.notify for one in (self, other) if one.notify is not Notify.NEVER]
        more = sorted((self, other), key=lambda one: (Notify.NEVER in one.notify, not one.wants_success))
        original = next((one.original for one in more if one.original), "")
        return evolve(self, notify=_union(wishes), original=original)


def _union(wishes: Sequence[Notify]) -> Notify:
    if not wishes:
        return Notify.NEVER
    if all(wish is Notify.UNSPECIFIED for wish in wishes):
        return Notify.UNSPECIFIED
    silent = Notify.FAILURE | Notify.DELAY
    return reduce(or_, (wish or silent for wish in wishes))


@frozen
class Envelope:
    """All that travels with the content but is not in it."""

    reverse_path: Mailbox
    recipients: tuple[Recipient, ...] = ()
    envelope_id: str = ""
    """The ENVID value, xtext decoded; empty when none was given."""
    returns: Return = Return.UNSPECIFIED
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    """SMTPUTF8 was asked for: the next hop must speak it too (RFC 6531 section 3.6)."""
    extra: tuple[tuple[str, str], ...] = field(default=())
    """MAIL parameters of further extensions that must travel on, as ``(KEYWORD, value)``."""
    manner: Manner = Manner.MAIL
    """Counts at the door only: what is kept is mail."""

    @property
    def requires_tls(self) -> bool:
        """Tell whether REQUIRETLS was asked for: every hop must be over TLS and known for certain (RFC 8689)."""
        return bool(self.extra) and any(keyword == REQUIRETLS for keyword, _ in self.extra)
