"""What the ``mailnode`` command can ask of a node: a table of names and what each does.

The same commands run inside a node, asked over its control socket, and without a node, on a spool that the command
itself has opened. They see only the seams (``Parts``) and whoever asked (``Exchange``).
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from mailnode.interfaces import Selection
from mailnode.mail.envelope import Body, Envelope, Recipient
from mailnode.mail.message import Entry, Message, Peer, QueuedRecipient
from mailnode.mail.wishes import FOREVER, deadline_of, priority_of, released_at
from mailnode.originator.draft import Sealed
from mailnode.originator.receipt import NotSent
from mailnode.originator.within import transact
from mailnode.service import history
from mailnode.service.account_commands import ACCOUNT_COMMANDS
from mailnode.service.asking import (
    NO_SUCH,
    TEMPORARY,
    UNAVAILABLE,
    USAGE,
    CommandFailed,
    Exchange,
    Parts,
    Request,
    mailbox,
    selection,
    text,
)
from mailnode.service.explanation import explain
from mailnode.spool.selection import selects

PAGE = 200
"""Entries read from the spool at a time for a listing."""


class Commands:
    """Runs commands by name."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    async def run(self, request: Request, exchange: Exchange) -> dict[str, Any]:
        """Do what is asked; items go to the exchange, the last word is what is returned. Raises CommandFailed."""
        name = request.get("command")
        command = _COMMANDS.get(name) if isinstance(name, str) else None
        if command is None:
            raise CommandFailed(f"unknown command {name!r}", code=USAGE)
        return await command(self.parts, request, exchange)


# --- the queue --------------------------------------------------------------------------------------------------


async def _queue_list(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    wanted = selection(request, parts.clock)
    shown, after = 0, ""
    while True:
        entries = await parts.spool.listing(wanted, limit=PAGE, after=after)
        for entry in entries:
            await exchange.emit(entry_item(entry))
        shown += len(entries)
        if len(entries) < PAGE:
            return {"messages": shown}
        after = entries[-1].message.queue_id


async def _queue_show(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    queue_id = text(request, "queue_id")
    entries = await parts.spool.listing(Selection(queue_id=queue_id), limit=1) if queue_id else ()
    if not entries:
        raise CommandFailed(f"{queue_id!r} is not in the queue", code=NO_SUCH)
    await exchange.emit(entry_item(entries[0]))
    return {"messages": 1}


async def _queue_hold(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    wanted = selection(request, parts.clock)
    count = await parts.spool.hold(wanted)
    parts.queue.recall(partial(selects, wanted))
    return {"recipients": count}


async def _queue_release(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    count = await parts.spool.release(selection(request, parts.clock))
    parts.queue.wake()
    return {"recipients": count}


async def _queue_retry(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    count = await parts.spool.retry(selection(request, parts.clock), parts.clock.seconds())
    parts.queue.wake()
    return {"recipients": count}


async def _queue_remove(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    wanted = selection(request, parts.clock)
    count = await parts.spool.remove(wanted)
    parts.queue.recall(partial(selects, wanted))
    return {"recipients": count}


def entry_item(entry: Entry) -> dict[str, Any]:
    """Show an entry as JSON can carry it."""
    message = entry.message
    return {
        "queue_id": message.queue_id,
        "from": str(message.envelope.reverse_path),
        "size": message.content.size,
        "arrived": message.arrived,
        "expires": entry.expires,
        "envelope_id": message.envelope.envelope_id,
        **_wishes_item(message),
        "recipients": [_recipient_item(recipient) for recipient in entry.recipients],
    }


def _wishes_item(message: Message) -> dict[str, Any]:
    """Show what the sender wished for the delivery; 0 where nothing was."""
    deadline = deadline_of(message)
    return {
        "held_until": released_at(message.envelope),
        "deliver_by": deadline if deadline < FOREVER else 0.0,
        "priority": priority_of(message.envelope),
    }


def _recipient_item(queued: QueuedRecipient) -> dict[str, Any]:
    return {
        "to": str(queued.recipient.forward_path),
        "original": queued.recipient.original,
        "courier": queued.lane.courier,
        "next_hop": queued.lane.next_hop,
        "attempts": queued.attempts,
        "held": queued.held,
        "due": queued.due,
        "last": str(queued.last) if queued.last else "",
        "last_remote": queued.last_remote,
    }


# --- sending ----------------------------------------------------------------------------------------------------


async def _send(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    """Take a message as a session would, for all recipients or none; the answer bears its queue id."""
    to = request.get("to")
    if not isinstance(to, list) or not to:
        raise CommandFailed("to: expected addresses", code=USAGE)
    recipients = tuple(Recipient(mailbox(str(address))) for address in to)
    sender = mailbox(text(request, "from"), may_be_null=True)
    is_international = not all(str(address).isascii() for address in (sender, *to))
    envelope = Envelope(sender, recipients, body=Body.EIGHT_BIT_MIME, smtputf8=is_international)
    try:
        receipt = await transact(
            parts.reception,
            _COMMAND,
            Sealed(envelope, b""),
            exchange,
            size=int(request.get("size", 0)),
            all_or_none=True,
        )
    except NotSent as no:
        code = TEMPORARY if no.code == TEMPORARY else UNAVAILABLE
        raise CommandFailed(str(no), code=code) from None
    return {"queue_id": receipt.queue_id, "reply": f"250 2.0.0 Accepted as {receipt.queue_id}"}


_COMMAND = Peer("", listener="command", service="submission", hello="localhost", is_extended=True)


# --- routes, history ---------------------------------------------------------------------------------------------


async def _explain(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    address = mailbox(text(request, "address"))
    async for item in explain(parts.router, address):
        await exchange.emit(item)
    return {}


async def _trace(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    queue_id = text(request, "queue_id")
    await parts.flush_history()
    steps = await parts.disk.run(lambda: history.steps(parts.history, queue_id))
    for step in steps:
        await exchange.emit({"at": step.at, "event": step.event, "message": step.message, "fields": step.fields})
    waiting = await parts.spool.listing(Selection(queue_id=queue_id), limit=1) if queue_id else ()
    if not steps and not waiting:
        raise CommandFailed(f"nothing is known of {queue_id!r}", code=NO_SUCH)
    return {"waiting": entry_item(waiting[0]) if waiting else None}


async def _status(parts: Parts, _request: Request, _exchange: Exchange) -> dict[str, Any]:
    messages, recipients = await parts.spool.count()
    return {"messages": messages, "recipients": recipients}


async def _fetch(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    """Call providers for our mail now; each answer says what came of it."""
    if parts.fetch is None:
        raise CommandFailed("no node runs here that has a [[fetch]] to call", code=UNAVAILABLE)
    heard = await parts.fetch(text(request, "name"))
    if not heard:
        raise CommandFailed(f"there is no [[fetch]] named {text(request, 'name')!r}", code=NO_SUCH)
    for name, is_well, said in heard:
        await exchange.emit({"name": name, "ok": is_well, "said": said})
    return {"calls": len(heard), "failed": sum(not is_well for _, is_well, _ in heard)}


Command = Callable[[Parts, Request, Exchange], Awaitable[dict[str, Any]]]

_COMMANDS: dict[str, Command] = {
    "status": _status,
    "send": _send,
    "queue.list": _queue_list,
    "queue.show": _queue_show,
    "queue.hold": _queue_hold,
    "queue.release": _queue_release,
    "queue.retry": _queue_retry,
    "queue.remove": _queue_remove,
    **ACCOUNT_COMMANDS,
    "fetch": _fetch,
    "explain": _explain,
    "trace": _trace,
}
