"""What goes wrong, as RFC 9457 wants it told: ``application/problem+json``.

The type of a problem is a reference into our own OpenAPI document, where each is described. A reply of SMTP becomes the problem
that HTTP has for it; the reply itself is told too, since a mail program's log will show it.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from attrs import frozen

from mailnode.gateways.api import Reply

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = 60
"""Seconds until what cannot be done now may be tried again, unless something else is known."""


@frozen
class Kind:
    """A type of problem."""

    status: int
    title: str
    meaning: str


KINDS: Mapping[str, Kind] = {
    "malformed": Kind(
        400, "The request cannot be read", "JSON, a charset, base64 or MIME is broken; the place is told."
    ),
    "unauthorized": Kind(401, "A token is needed", "There is no bearer token, or none of ours."),
    "not-allowed": Kind(403, "Not with this token", "The token does not allow this sender or recipient."),
    "forbidden": Kind(403, "Refused by policy", "The node's policy refuses the message for good (SMTP 5.7.z)."),
    "not-found": Kind(404, "There is nothing here", "The path is none of ours."),
    "wrong-method": Kind(405, "Not with this method", "See Allow."),
    "under-way": Kind(409, "The same key is being worked on", "Ask again after Retry-After."),
    "too-large": Kind(413, "Too large", "The request, or the message made of it, exceeds a limit."),
    "wrong-type": Kind(415, "Not in this form", "The body must be application/json in UTF-8 or message/rfc822."),
    "invalid": Kind(422, "A value is not possible", "The request can be read, but a value in it cannot be used."),
    "key-reused": Kind(422, "The key belongs to another request", "An Idempotency-Key came with a different request."),
    "refused": Kind(
        422, "The message is refused", "The node refuses all recipients or the message for good (SMTP 5yz)."
    ),
    "too-many": Kind(429, "Too many messages", "A rate is exceeded; try again after Retry-After."),
    "unavailable": Kind(503, "Not now", "Trouble that will pass (SMTP 4yz); try again after Retry-After."),
}


class Wrong(Exception):  # noqa: N818 - it is an answer, not an error
    """The answer is a problem."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        pointer: str | None = None,
        retry_after: float = 0.0,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.pointer = pointer
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    @property
    def status(self) -> int:
        """Give the status of HTTP."""
        return KINDS[self.kind].status

    def fields(self) -> dict[str, str]:
        """Give the header fields of the answer."""
        wait = {"Retry-After": str(max(1, round(self.retry_after)))} if self.retry_after else {}
        return {"Content-Type": CONTENT_TYPE, **wait, **self.headers}

    def body(self) -> bytes:
        """Write the answer."""
        told: dict[str, Any] = {
            "type": f"openapi.json#/x-problems/{self.kind}",
            "title": KINDS[self.kind].title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.pointer is not None:
            told["errors"] = [{"detail": self.detail, "pointer": f"#{self.pointer}"}]
        return json.dumps(told | self.more).encode() + b"\n"


def phrase(status: int) -> str:
    """Give the reason phrase of a status."""
    return HTTPStatus(status).phrase


def told(reply: Reply) -> dict[str, Any]:
    """Tell a reply of SMTP as JSON."""
    return {
        "code": reply.code,
        "enhanced_status": str(reply.status) if reply.status else "",
        "text": " ".join(reply.lines),
    }


def told_refused(refused: Sequence[tuple[str, Reply]]) -> list[dict[str, Any]]:
    """Tell who was refused, and how."""
    return [{"address": address, **told(reply)} for address, reply in refused]


def of_reply(reply: Reply, refused: Sequence[tuple[str, Reply]] = ()) -> Wrong:
    """Turn the reply that refuses a message into a problem."""
    kind = _kind(reply)
    more: dict[str, Any] = {"reply": told(reply)}
    if refused:
        more["refused"] = told_refused(refused)
    return Wrong(kind, str(reply), retry_after=RETRY_AFTER if reply.is_transient else 0.0, more=more)


_BY_STATUS = {"4.7.28": "too-many", "5.3.4": "too-large", "5.2.3": "too-large"}
"""Enhanced status codes (RFC 3463) that HTTP has a status of its own for."""


def _kind(reply: Reply) -> str:
    status = str(reply.status or "")
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if reply.is_transient:
        return "unavailable"
    return "forbidden" if status.startswith("5.7.") else "refused"
