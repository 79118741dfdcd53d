"""The forms in which shipped gateways write a message and read one: JSON, or the message as it is.

What ``json_form`` writes, ``read_json`` reads, so two nodes may be joined by anything that carries octets. Of what other
programs write only ``to`` must be there (unless the gateway has somebody to send to)::

    {"from": "ann@example.org", "to": ["bob@example.net"], "subject": "...", "text": "...", "html": "...",
     "in_reply_to": "<...>", "references": ["<...>"], "message_id": "<...>", "automatic": true,
     "attachments": [{"name": "a.pdf", "content_type": "application/pdf", "base64": "..."}]}

``text`` is taken as plain text; keys that are not known are passed over.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from mailnode.gateways.api import Attachment, Draft, OutgoingMessage, OutgoingRecipient, header_line

JSON, RAW = "application/json", "message/rfc822"


# --- written


def json_form(message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> tuple[str, bytes]:
    """Write a message as JSON with its files in base64; gives the content type and the body."""
    told = described(message, recipients) | {"attachments": [_file(one) for one in message.attachments]}
    return JSON, json.dumps(told, ensure_ascii=False).encode()


def raw_form(message: OutgoingMessage, _: Sequence[OutgoingRecipient]) -> tuple[str, bytes]:
    """Give a message as it is; gives the content type and the body."""
    return RAW, message.octets()


FORMS = {"json": json_form, "raw": raw_form}
"""What a setting ``form`` may say."""


def described(message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> dict[str, Any]:
    """Tell of a message what JSON can hold, without its files."""
    return {
        "id": message.queue_id,
        "message_id": message.message_id,
        "from": str(message.sender),
        "to": [str(one.mailbox) for one in recipients],
        "recipients": [{"address": one.address, "mailbox": str(one.mailbox), "key": one.key} for one in recipients],
        "subject": message.subject,
        "date": message.field("Date"),
        "received_at": message.arrived,
        "attempt": message.attempt,
        "headers": [[name, header_line(_text(value))] for name, value in message.email.raw_items()],
        "text": message.text(),
    }


def key_for(recipients: Sequence[OutgoingRecipient]) -> str:
    """Give the idempotency key of what goes to exactly these recipients: the same on every attempt."""
    keys = sorted(one.key for one in recipients)
    return keys[0] if len(keys) == 1 else sha256("\n".join(keys).encode()).hexdigest()[:32]


def _text(value: object) -> str:
    """Give a field's value as text, whatever octets it holds."""
    return str(value).encode("utf-8", "replace").decode()


def _file(one: Attachment) -> dict[str, str]:
    return {"name": one.name, "content_type": one.content_type, "base64": base64.b64encode(one.octets).decode()}


# --- read


def read_json(body: bytes, *, sender: str = "", to: Sequence[str] = ()) -> Draft:
    """Read a message; ``sender`` and ``to`` count where it names none. ValueError, with a sentence, for what is none."""
    told = _parsed(body)
    told_to = told.get("to", [])
    draft = Draft(
        sender=_string(told, "from") or sender,
        to=_strings({"to": [told_to] if isinstance(told_to, str) else told_to}, "to") or tuple(to),
        text=_string(told, "text"),
        html=_string(told, "html"),
        subject=_string(told, "subject"),
        files=tuple(map(_read_file, _list(told, "attachments"))),
        in_reply_to=_string(told, "in_reply_to"),
        references=_strings(told, "references"),
        message_id=_string(told, "message_id"),
        is_automatic=bool(told.get("automatic", False)),
    )
    if not draft.to:
        raise ValueError('the message names nobody in "to"')
    if not draft.sender:
        raise ValueError('the message names nobody in "from"')
    return draft


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is no JSON: {type(error).__name__}") from None
    if not isinstance(told, dict):
        raise ValueError("the body is JSON, but no object")  # noqa: TRY004 - one class for all that is wrong with it
    return told


def _string(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f'"{name}" is no text')
    return _text(value or "")


def _list(told: Mapping[str, Any], name: str) -> list[Any]:
    value = told.get(name)
    if value is not None and not isinstance(value, list):
        raise ValueError(f'"{name}" is no list')
    return value or []


def _strings(told: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(told, name)
    if not all(isinstance(one, str) for one in values):
        raise ValueError(f'"{name}" is no list of texts')
    return tuple(map(_text, values))


def _read_file(told: object) -> Attachment:
    if not isinstance(told, dict):
        raise ValueError('"attachments" holds something that is no object')  # noqa: TRY004 - as above
    try:
        octets = base64.b64decode(_string(told, "base64"), validate=True)
    except ValueError:
        raise ValueError("an attachment is no base64") from None
    return Attachment(_string(told, "name"), _string(told, "content_type") or "application/octet-stream", octets)
