"""What becomes of a post: refused, passed over, held for the owners, or spread."""

from email.utils import formatdate

from mailnode.gateways.api import Delivered, Failed, Outcome, OutgoingMessage, OutgoingRecipient, Trouble, shortened
from mailnode.shipped.mailing_list.fanout import Fanout, Post
from mailnode.shipped.mailing_list.fields import (
    NOT_PASSED_ON,
    line,
    name_of,
    parted,
    prefixed,
    readable,
    without,
)
from mailnode.shipped.mailing_list.mailing import Mailing, author_of, key_of
from mailnode.shipped.mailing_list.store import LEFT, Held
from mailnode.shipped.mailing_list.texts import WAITS

BEEN = "X-BeenThere"
"""Names the lists a post has passed; others' lists know it too."""
_SHOWN = 1500


async def post(mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient) -> Outcome:
    """Treat a post by the list's policy."""
    settings = mailing.settings
    if is_answer(message):
        return Delivered("passed over: a machine's answer")
    if len(message.octets()) > settings.max_size:
        return Failed(f"{mailing.posts_to} takes posts of up to {settings.max_size} octets", "5.3.4")
    if mailing.address().lower() in been_at(message):
        return Failed("the post has been here before: it goes in a circle", "5.4.6")
    author = author_of(message)
    if settings.post == "moderated":
        return await hold(mailing, message, one, author)
    if settings.post == "anyone" or await may_post(mailing, author):
        await Fanout(mailing, made(mailing, message, one, author)).spread()
        return Delivered()
    if settings.strangers == "hold":
        return await hold(mailing, message, one, author)
    return Delivered("passed over") if settings.strangers == "drop" else Failed("only members may post here", "5.7.1")


def is_answer(message: OutgoingMessage) -> bool:
    """Tell whether it is a bounce or a machine's answer, which no list wants."""
    word = str(message.header.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    is_report = message.header.get_content_type() == "multipart/report"
    return not message.sender.domain or word in ("auto-replied", "auto-notified") or is_report


def been_at(message: OutgoingMessage) -> set[str]:
    """Give the lists it has passed."""
    return {str(value).strip().lower() for value in message.header.get_all(BEEN, [])[:100]}


async def may_post(mailing: Mailing, author: str) -> bool:
    """Tell whether the author is an owner or a member, also one who gets no copies just now."""
    if not author:
        return False
    member = await mailing.store.find(mailing.name, author)
    return mailing.is_owner(author) or (member is not None and member.state != LEFT)


def made(mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient, author: str) -> Post:
    """Make the post of a message."""
    head, body = written(mailing, message.octets())
    sender = author or str(message.sender)
    return Post(one.key, head, body, sender, message.arrived, message.mark, message.traceparent)


def written(mailing: Mailing, octets: bytes) -> tuple[bytes, bytes]:
    """Give header and body of all copies; the body is as it was."""
    found, body = parted(octets)
    kept = without(found, NOT_PASSED_ON)
    settings = mailing.settings
    if settings.subject_prefix:
        kept = prefixed(kept, settings.subject_prefix)
    if settings.reply_to == "list":
        kept = [*without(kept, {b"reply-to"}), line("Reply-To", mailing.posts_to)]
    elif settings.reply_to == "author" and not any(name_of(field) == b"reply-to" for field in kept):
        kept += [b"Reply-To:" + field.partition(b":")[2] for field in kept if name_of(field) == b"from"][:1]
    return b"".join([*mailing.fields(), line(BEEN, mailing.address()), *kept]), body


# --- posts that wait for the owners -----------------------------------------------------------------------------


async def hold(mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient, author: str) -> Outcome:
    """Keep a post until an owner decides, and tell the owners."""
    now = mailing.node.clock.seconds()
    until = now + mailing.settings.hold_for
    post = (author or str(message.sender), message.mark, message.octets())
    number = await mailing.store.hold(mailing.name, one.key, post, now, until)
    if not number:
        return Failed("too many posts wait for the owners", "5.7.1")
    words = {
        "number": str(number), "sender": author or "somebody", "octets": str(len(message.octets())),
        "subject": readable(message.header.get("Subject", "")), "text": await mailing.node.disk.run(lambda: _beginning(message)),
        "until": formatdate(until),
        "approve": mailing.address("confirm", mailing.tickets.for_number("a", number, until)),
        "reject": mailing.address("confirm", mailing.tickets.for_number("r", number, until)),
    }  # fmt: skip
    await mailing.tell_owners(WAITS, words, key_of(one, "waits"))
    return Delivered("held for the owners")


def _beginning(message: OutgoingMessage) -> str:
    try:
        part = message.email.get_body(("plain",))
        octets = part.get_payload(decode=True) if part is not None else b""
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError, Trouble):
        return ""  # it is shown for comfort only
    return shortened(octets[: 4 * _SHOWN].decode("utf-8", "replace") if isinstance(octets, bytes) else "", _SHOWN)


async def approve(mailing: Mailing, number: int, now: float) -> bool:
    """Spread a post that waited; False when it was decided on before."""
    held = await mailing.store.held(mailing.name, number)
    if held is None:
        return False
    await Fanout(mailing, _made_of(mailing, held, now)).spread()
    await mailing.store.decided(number)
    return True


def _made_of(mailing: Mailing, held: Held, now: float) -> Post:
    head, body = written(mailing, held.octets)
    return Post(f"held {mailing.name} {held.number}", head, body, held.sender, now, held.mark, "")


async def reject(mailing: Mailing, number: int) -> bool:
    """Forget a post that waited; False when it was decided on before."""
    held = await mailing.store.held(mailing.name, number)
    await mailing.store.decided(number)
    return held is not None
