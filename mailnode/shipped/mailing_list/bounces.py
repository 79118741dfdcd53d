"""What a bounce says of a mailbox: for ever, for now, or nothing (RFC 3464, RFC 3463)."""

import re
from email.message import EmailMessage, Message

from attrs import frozen

from mailnode.gateways.api import header_line

FOR_EVER, FOR_NOW = 1.0, 0.25
_STATUS = re.compile(r"\b([45])\.\d{1,3}\.\d{1,3}\b")
_MOST_TEXT = 20_000


@frozen
class Bounce:
    """A failure."""

    weight: float
    status: str
    reason: str
    """What the other host said; on one line."""


def read_bounce(email: EmailMessage) -> Bounce | None:
    """Read a bounce; None when it tells of no failure: a delay, a success, a machine's answer."""
    if str(email.get("Auto-Submitted", "")).lower().startswith("auto-replied") and not _is_report(email):
        return None
    blocks = _blocks(email)
    if blocks:
        return _of_report(blocks)
    found = _STATUS.search(_text(email))
    status = found[0] if found else ""
    return Bounce(FOR_EVER if status.startswith("5") else FOR_NOW, status, header_line(str(email.get("Subject", ""))))


def decayed(score: float, seconds: float, half_life: float) -> float:
    """Give what is left of a score after some time."""
    return float(score * 0.5 ** (max(0.0, seconds) / half_life))


def _is_report(email: EmailMessage) -> bool:
    return email.get_content_type() == "multipart/report"


def _blocks(email: EmailMessage) -> list[Message]:
    """Give the groups of fields of a delivery status, one for each recipient (RFC 3464 section 2.1)."""
    for part in email.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            payload = part.get_payload()
            groups = payload if isinstance(payload, list) else []
            return [one for one in groups if isinstance(one, Message) and (one.get("Action") or one.get("Status"))][
                :100
            ]
    return []


def _of_report(blocks: list[Message]) -> Bounce | None:
    failures = [one for one in blocks if str(one.get("Action", "failed")).strip().lower() == "failed"]
    if not failures:
        return None
    found = _STATUS.search(str(failures[0].get("Status", "")))
    status = found[0] if found else ""
    reason = header_line(str(failures[0].get("Diagnostic-Code", "")))
    return Bounce(FOR_EVER if status.startswith("5") else FOR_NOW, status, reason)


def _text(email: EmailMessage) -> str:
    for part in email.walk():
        if part.get_content_maintype() == "text":
            octets = part.get_payload(decode=True)
            return octets[:_MOST_TEXT].decode("utf-8", "replace") if isinstance(octets, bytes) else ""
    return ""
