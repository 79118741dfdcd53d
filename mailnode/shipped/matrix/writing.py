"""The contents of events (Matrix, module Instant Messaging): what mail says there, and what is said there in mail."""

from collections.abc import Mapping
from html import escape
from typing import Any

from mailnode.gateways.api import shortened

MOST_HEADER = 500
"""Characters of a subject."""
_FILES = frozenset(("m.file", "m.image", "m.audio", "m.video"))


def content(subject: str, text: str, *, limit: int, is_automatic: bool, answers: str = "") -> dict[str, Any]:
    """Write a mail as the content of ``m.room.message``; ``answers`` is the event it replies to."""
    heading, body = shortened(_speakable(subject), MOST_HEADER), shortened(_speakable(text), limit)
    made: dict[str, Any] = {
        "msgtype": "m.notice" if is_automatic else "m.text",
        "body": "\n\n".join(part for part in (heading, body) if part),
        "m.mentions": {},
    }
    if heading:
        made["format"] = "org.matrix.custom.html"
        made["formatted_body"] = f"<strong>{escape(heading)}</strong><br><br>" + escape(body).replace("\n", "<br>\n")
    if answers:
        made["m.relates_to"] = {"m.in_reply_to": {"event_id": answers}}
    return made


def said(event: Mapping[str, Any]) -> str:
    """Give what an event says in words; empty when it says nothing that is to be mail."""
    told = event.get("content")
    if not isinstance(told, dict) or _relation(told).get("rel_type") == "m.replace":
        return ""
    kind, body = told.get("msgtype"), told.get("body")
    if not isinstance(body, str) or not isinstance(kind, str):
        return ""
    if kind in _FILES:
        name = told.get("filename")
        return (
            f"[{name}: a file, left out]" + (f"\n{body}" if name != body else "")
            if isinstance(name, str)
            else f"[{body}: a file, left out]"
        )
    text = _without_fallback(body) if replied_to(event) else body
    return {"m.text": text, "m.emote": f"* {text}"}.get(kind, "").strip()


def replied_to(event: Mapping[str, Any]) -> str:
    """Give the event that this one is a reply to."""
    told = event.get("content")
    answered = _relation(told).get("m.in_reply_to") if isinstance(told, dict) else None
    found = answered.get("event_id") if isinstance(answered, dict) else None
    return found if isinstance(found, str) else ""


def mentioned(event: Mapping[str, Any]) -> list[str]:
    """Give the users that an event mentions."""
    told = event.get("content")
    mentions = told.get("m.mentions") if isinstance(told, dict) else None
    users = mentions.get("user_ids") if isinstance(mentions, dict) else None
    return [one for one in users if isinstance(one, str)][:100] if isinstance(users, list) else []


def _relation(told: Mapping[str, Any]) -> Mapping[str, Any]:
    found = told.get("m.relates_to")
    return found if isinstance(found, dict) else {}


def _without_fallback(body: str) -> str:
    """Leave out the quotation that older programs put before a reply."""
    lines = body.split("\n")
    if not lines[0].startswith("> <") and not lines[0].startswith("> * <"):
        return body
    while lines and lines[0].startswith(">"):
        lines.pop(0)
    return "\n".join(lines).strip("\n")


def _speakable(text: str) -> str:
    """Take out controls, and halves of characters, which JSON of Matrix may not hold."""
    kept = "".join(char for char in text if char in "\n\t\u200d" or char.isprintable())
    return kept.encode("utf-8", "replace").decode()
