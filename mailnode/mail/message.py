"""A message on its way: the values that reception, spool, queue and couriers hand to one another."""

from attrs import field, frozen

from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Route


@frozen
class Message:
    """What was accepted under one queue id; its envelope's recipients stand in the order of ``routes``."""

    queue_id: str
    envelope: Envelope
    content: Content
    """With our own trace field on top."""
    arrived: float
    """Seconds since the epoch."""


@frozen
class NewEntry:
    """A message to be kept until its next hops answer."""

    message: Message
    routes: tuple[Route, ...]
    """One for each recipient of the envelope, in the same order."""
    expires: float
    """When to give up, seconds since the epoch."""


@frozen
class QueuedRecipient:
    """One recipient in the spool."""

    key: int
    """Names it in the spool; never reused."""
    recipient: Recipient
    lane: Lane
    attempts: int = 0
    warned: bool = False
    """The sender has been told of the delay."""
    held: bool = False
    due: float = 0.0
    """When the next attempt is due, seconds since the epoch; for a leased one, when the lease runs out."""
    last: Reply | None = None
    """What the last attempt heard."""
    last_remote: str = ""


@frozen
class Entry:
    """A message in the spool with those of its recipients that are still to be served (or that were asked for)."""

    message: Message
    """Its envelope has no recipients here; they stand in ``recipients``."""
    recipients: tuple[QueuedRecipient, ...]
    expires: float


@frozen
class DeliveryRequest:
    """One try: this message, for these recipients, to this next hop."""

    message: Message
    """Its envelope's recipients are exactly those to be tried."""
    lane: Lane
    attempt: int = 1


@frozen
class Peer:
    """Who is at the other end of a session, as far as known by now."""

    address: str
    """IP address, or ``""`` for a unix socket."""
    port: int = 0
    listener: str = ""
    """The listener's name in the configuration."""
    service: str = "smtp"
    """``smtp``, ``submission`` or ``lmtp``."""
    hello: str = ""
    """What it called itself in EHLO, HELO or LHLO."""
    is_extended: bool = False
    """It said EHLO (or LHLO)."""
    tls: str = ""
    """TLS version and cipher, empty without."""
    account: str = ""
    """The authenticated account, empty without."""
    notes: tuple[str, ...] = field(default=())
    """What was noticed about it: ``early-talker``."""
    local_address: str = ""
    """The address of ours that it has reached, ``""`` for a unix socket."""
    certificate_names: tuple[str, ...] = ()
    """The names in its TLS client certificate, mail addresses and host names, once that was verified; else empty."""
    channel_bindings: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    """What ties an authentication to this TLS channel, ``(type, data)``: ``tls-exporter`` (RFC 9266) and the like."""
    user: str = ""
    """The local user at the other end of a unix socket, as the kernel tells; else empty."""
    protocol: str = ""
    """What a gateway has brought the message by, ``XMPP``: it stands in the ``with`` clause. Empty for sessions."""
    is_verbose: bool = False
    """It has said VERB: the answer to the final dot may tell how each recipient fared."""
