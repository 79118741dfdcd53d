"""Mail that comes back, and mail to the owners."""

from mailnode.gateways.api import Delivered, Failed, Outcome, OutgoingMessage, OutgoingRecipient, Refused, Trouble
from mailnode.shipped.mailing_list.bounces import Bounce, read_bounce
from mailnode.shipped.mailing_list.fanout import count
from mailnode.shipped.mailing_list.mailing import Mailing, key_of
from mailnode.shipped.mailing_list.posting import been_at

MOST_READ = 1024 * 1024
"""Octets of a bounce that is read; a larger one is passed over."""


async def bounce(mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient, token: str) -> Outcome:
    """Count a bounce for the member whose copy it is about; what was sent by a person is none."""
    number = mailing.tickets.member("bounce", token)
    is_bounce = not message.sender.domain or message.sender.local_part.lower() == "mailer-daemon"
    if number is None or not is_bounce or len(message.octets()) > MOST_READ:
        return Delivered("passed over: no bounce of a copy")
    found = await mailing.node.disk.run(lambda: _read(message))  # on a thread: it may be nested without end
    if found is None:
        return Delivered("passed over: no failure")
    await count(mailing, number, found.weight, f"{found.status} {found.reason}".strip(), key_of(one, "bounce"))
    return Delivered()


def _read(message: OutgoingMessage) -> Bounce | None:
    """Read a bounce, whatever its octets do to the email package."""
    try:
        return read_bounce(message.email)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError, Trouble):
        return None


async def to_owners(mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient) -> Outcome:
    """Pass mail on to the owners as it is; what comes back of it ends at the list."""
    owner = mailing.address("owner")
    if owner in been_at(message):
        return Failed("the mail has been here before: it goes in a circle", "5.4.6")
    if not mailing.settings.owners:
        return Failed("the list has no owner", "5.1.1")
    octets = f"X-BeenThere: {owner}\r\n".encode() + message.octets()
    for address in mailing.settings.owners:
        try:
            await mailing.node.submit(
                octets, sender=mailing.address("bounces"), to=(address,), protocol="LIST",
                key=key_of(one, f"owner {address}"), mark=message.mark, traceparent=message.traceparent,
            )  # fmt: skip
        except Refused as refused:
            if refused.reply.is_transient:
                raise
            mailing.node.log.warn(  # noqa: G010 - the method of twisted.logger
                "list {list} cannot reach its owner <{to}>: {reply}", event="list", list=mailing.name, to=address,
                reply=str(refused.reply),
            )  # fmt: skip
    return Delivered()
