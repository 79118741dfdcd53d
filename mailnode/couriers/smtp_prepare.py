"""Makes a message fit for a peer: the content, the BODY and whether SMTPUTF8 is asked for, by what the peer offers.

=======================  =========================  ===================================================================
the message              the peer lacks             what is done
=======================  =========================  ===================================================================
has 8-bit octets         8BITMIME                   MIME parts are re-encoded (RFC 6152 section 3), or 554 5.6.3
is BINARYMIME            it is always sent by DATA  parts that need it become base64 (RFC 3030 section 3), or 554 5.6.3
was sent with SMTPUTF8   SMTPUTF8                   sent plain if neither header nor addresses need it, or 553 5.6.7
                                                    (RFC 6531 section 3.6)
is larger than SIZE n    room                       552 5.3.4, without sending it (RFC 1870 section 6.2)
=======================  =========================  ===================================================================

Small content is looked at where it stands; a file is read on a disk thread.
"""

from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen

from mailnode.couriers.smtp_conversions import Conversions
from mailnode.interfaces import Disk
from mailnode.mail.content import Content
from mailnode.mail.envelope import Body, Envelope
from mailnode.mail.message import Message
from mailnode.mail.reply import Reply
from mailnode.mail.transfer import header_is_seven_bit, is_seven_bit, needs_binary, to_eight_bit, to_seven_bit
from mailnode.smtp.peeroffer import PeerOffer


@frozen
class Prepared:
    """A message as this peer can take it."""

    content: Content
    body: Body
    smtputf8: bool
    file: Any = None
    """The file of a converted content, to be let go (``Conversions.let_go``) when it has been sent."""


def too_large(size: int, offer: PeerOffer) -> Reply | None:
    """Compare with the limit the peer named."""
    if not offer.size_limit or size <= offer.size_limit:
        return None
    return Reply.of(552, "5.3.4", f"The message has {size} octets, the next hop takes {offer.size_limit}")


async def prepare(message: Message, offer: PeerOffer, disk: Disk, conversions: Conversions) -> Prepared | Reply:
    """Fit the message to the offer, or give the reply that says why it does not fit."""
    refusal = too_large(message.content.size, offer)
    if refusal is not None:
        return refusal
    smtputf8 = await _wants_utf8(message, offer, disk)
    if isinstance(smtputf8, Reply):
        return smtputf8
    prepared = await _with_body(message, offer, disk, conversions, smtputf8=smtputf8)
    if isinstance(prepared, Reply) or prepared.content is message.content:
        return prepared
    refusal = too_large(prepared.content.size, offer)
    if refusal is not None:
        conversions.let_go(prepared.file)
    return refusal or prepared


async def _wants_utf8(message: Message, offer: PeerOffer, disk: Disk) -> bool | Reply:
    envelope = message.envelope
    if offer.smtputf8:
        return envelope.smtputf8 or not _is_ascii(envelope)
    if not envelope.reverse_path.local_part.isascii():
        return Reply.of(553, "5.6.7", "The next hop takes no UTF-8 addresses, and the sender has one")
    if envelope.smtputf8 and not await _look(message.content, disk, header_is_seven_bit):
        return Reply.of(553, "5.6.7", "The next hop takes no UTF-8 header fields, and the message has some")
    return False


def _is_ascii(envelope: Envelope) -> bool:
    mailboxes = (envelope.reverse_path, *(recipient.forward_path for recipient in envelope.recipients))
    return all(each.local_part.isascii() and each.domain.isascii() for each in mailboxes)


async def _with_body(
    message: Message, offer: PeerOffer, disk: Disk, conversions: Conversions, *, smtputf8: bool
) -> Prepared | Reply:
    content = message.content
    declared = message.envelope.body
    if declared is Body.BINARY_MIME:
        return await _without_binary(content, offer, disk, conversions, smtputf8=smtputf8)
    if offer.eight_bit:
        # A file is not read for this: the peer takes 8-bit octets, and may hear of some that are not there.
        is_plain = declared is Body.SEVEN_BIT and content.path is None and content.head.isascii()
        return Prepared(content, Body.SEVEN_BIT if is_plain else Body.EIGHT_BIT_MIME, smtputf8)
    if await _look(content, disk, is_seven_bit):
        return Prepared(content, Body.SEVEN_BIT, smtputf8)
    return await _converted(content, Body.SEVEN_BIT, conversions, smtputf8=smtputf8)


async def _without_binary(
    content: Content, offer: PeerOffer, disk: Disk, conversions: Conversions, *, smtputf8: bool
) -> Prepared | Reply:
    """Fit for DATA what came by BDAT: often it has lines all the same."""
    body = Body.EIGHT_BIT_MIME if offer.eight_bit else Body.SEVEN_BIT
    has_lines = not await _look(content, disk, needs_binary)
    if has_lines and (offer.eight_bit or await _look(content, disk, is_seven_bit)):
        return Prepared(content, body, smtputf8)
    return await _converted(content, body, conversions, smtputf8=smtputf8)


async def _converted(content: Content, body: Body, conversions: Conversions, *, smtputf8: bool) -> Prepared | Reply:
    if content.size > conversions.limit:
        return _unconvertible(f"it has more than {conversions.limit} octets")
    convert = to_eight_bit if body is Body.EIGHT_BIT_MIME else to_seven_bit
    try:
        converted = await conversions.run(content, convert)
    except ValueError as error:
        return _unconvertible(str(error))
    return Prepared(converted.content, body, smtputf8, converted.file)


def _unconvertible(why: str) -> Reply:
    return Reply.of(554, "5.6.3", f"The next hop needs the message converted, which cannot be done: {why}")


async def _look(content: Content, disk: Disk, question: Callable[[Iterable[bytes]], bool]) -> bool:
    """Ask a question about the content's blocks, on a disk thread when they are in a file."""
    if content.path is None:
        return question((content.head,))
    return await disk.run(lambda: question(content.blocks()))
