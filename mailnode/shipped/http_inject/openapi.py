"""The OpenAPI 3.1 document of this gateway, which ``GET /openapi.json`` serves; etc/gateways holds a copy, kept true by a test."""

from collections.abc import Mapping
from typing import Any

from mailnode.shipped.http_inject.fields import ALLOWED, MOST_FILES, MOST_HEADERS
from mailnode.shipped.http_inject.problems import CONTENT_TYPE, KINDS
from mailnode.shipped.http_inject.values import LONGEST_KEY, LONGEST_LINE, MOST_RECIPIENTS

Schema = dict[str, Any]


def document(max_size: int) -> Schema:
    """Write the document; ``max_size`` are the octets that a body may have."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mailnode http-inject",
            "version": "1",
            "description": "An HTTP POST becomes mail. The answer comes once the message is durable. A body may have "
            f"{max_size} octets and may not be compressed.",
        },
        "servers": [{"url": "/"}],
        "paths": {"/messages": {"post": _POST}, "/healthz": {"get": _HEALTH}, "/openapi.json": {"get": _DESCRIBE}},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
        "x-problems": {
            name: {"status": one.status, "title": one.title, "description": one.meaning} for name, one in KINDS.items()
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _list(items: Schema, description: str, **more: Any) -> Schema:
    return {"type": "array", "items": items, "description": description, **more}


def _object(properties: Mapping[str, Schema], *required: str, **more: Any) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(required), **more}


_LINE = {"maxLength": LONGEST_LINE, "pattern": r"^[^\x00-\x1f\x7f]*$"}
"""What may stand in a header."""
_MESSAGE_ID = _text("A Message-ID with its angle brackets.", pattern="^<[^<>\\s]+@[^<>\\s]+>$", maxLength=500)
_REPLY = {
    "code": {"type": "integer", "minimum": 200, "maximum": 599, "description": "The code of SMTP (RFC 5321)."},
    "enhanced_status": _text('RFC 3463, such as "5.1.1"; may be empty.', pattern=r"^([245]\.\d{1,3}\.\d{1,3})?$"),
    "text": _text("What the node says."),
}

_SCHEMAS: Mapping[str, Schema] = {
    "Address": _text("A mail address: local-part@domain.", minLength=3, **_LINE),
    "Person": {
        "anyOf": [
            _ref("Address"),
            _object({"address": _ref("Address"), "name": _text("A name.", **_LINE)}, "address", additionalProperties=False),
        ]
    },
    "Attachment": _object(
        {
            "name": _text("The file's name.", maxLength=255),
            "content_type": _text("Its media type.", default="application/octet-stream"),
            "base64": _text("Its octets.", contentEncoding="base64"),
        },
        "base64", additionalProperties=False,
    ),
    "Message": _object(
        {
            "from": {**_ref("Person"), "description": "Stands in From and is the reverse-path."},
            "to": _list(_ref("Person"), "Stands in To.", maxItems=MOST_RECIPIENTS),
            "cc": _list(_ref("Person"), "Stands in Cc.", maxItems=MOST_RECIPIENTS),
            "bcc": _list(_ref("Person"), "Stands nowhere.", maxItems=MOST_RECIPIENTS),
            "subject": _text("The subject.", **_LINE),
            "text": _text("The text, with any line ends."),
            "html": _text("The same as HTML."),
            "in_reply_to": {**_MESSAGE_ID, "description": "What this answers."},
            "references": _list(_MESSAGE_ID, "The thread so far, the oldest first.", maxItems=100),
            "automatic": {
                "type": "boolean", "default": False,
                "description": "A machine wrote it, nobody shall answer by machine: Auto-Submitted: auto-generated (RFC 3834).",
            },
            "headers": {
                "type": "object", "maxProperties": MOST_HEADERS, "additionalProperties": {"type": "string", **_LINE},
                "propertyNames": {"maxLength": 64}, "description": f"Further header fields: {ALLOWED.pattern}",
            },
            "attachments": _list(_ref("Attachment"), "Files.", maxItems=MOST_FILES),
        },
        "from", additionalProperties=False, minProperties=2,
        anyOf=[{"required": ["to"]}, {"required": ["cc"]}, {"required": ["bcc"]}],
    ),
    "Refused": _object(
        {"address": _text("Who was refused."), **_REPLY}, "address", *_REPLY, additionalProperties=False
    ),
    "Accepted": _object(
        {
            "queue_id": _text("What the node calls it: mailnode trace QUEUE-ID.", minLength=1),
            "message_id": _text("Its Message-ID, to which answers will refer."),
            "accepted": _list(_text("A recipient."), "Who is taken, without names.", minItems=1),
            "refused": _list(_ref("Refused"), "Who was refused while others were taken."),
        },
        "queue_id", "message_id", "accepted", "refused", additionalProperties=False,
    ),
    "Problem": _object(
        {
            "type": _text(
                "Which problem, as a reference into this document: see x-problems.", format="uri-reference",
                enum=[f"openapi.json#/x-problems/{name}" for name in KINDS],
            ),
            "title": _text("The problem in short."),
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The status of HTTP."},
            "detail": _text("What it was this time."),
            "errors": _list(
                _object({"detail": _text("What."), "pointer": _text("Where: a JSON pointer as a fragment.")}, "detail", "pointer"),
                "The places of what is wrong.",
            ),
            "reply": {**_object(_REPLY, *_REPLY), "description": "What SMTP would have said."},
            "refused": _list(_ref("Refused"), "When all recipients were refused: each with its reply."),
        },
        "type", "title", "status", "detail",
    ),
    "Health": _object({"status": {"const": "ok"}}, "status"),
}  # fmt: skip


def _json(schema: str, description: str, **more: Any) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}, **more}


def _problem(status: int, **headers: Schema) -> Schema:
    names = ", ".join(name for name, one in KINDS.items() if one.status == status)
    told: Schema = {"description": names, "content": {CONTENT_TYPE: {"schema": _ref("Problem")}}}
    return {**told, "headers": headers} if headers else told


def _header(name: str, description: str, **schema: Any) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **schema}}


_WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_SURROUNDED = "The envelope of a raw message"

_POST: Schema = {
    "operationId": "postMessage",
    "summary": "Send a message",
    "security": [{"token": []}],
    "parameters": [
        _header(
            "Idempotency-Key",
            "The same key with the same request is taken once and answered alike for a week. With or without quotes.",
            minLength=1, maxLength=LONGEST_KEY,
        ),
        _header("traceparent", "W3C Trace Context: the message goes on in this trace."),
        _header("X-Mailnode-Mark", "What a webhook was given with the mail that this answers; it ends loops."),
        _header("X-Mailnode-From", f"{_SURROUNDED}: the reverse-path, where the query has none."),
        _header("X-Mailnode-To", f"{_SURROUNDED}: the recipients, with commas between, where the query has none."),
        {
            "name": "from", "in": "query", "schema": {"type": "string"},
            "description": f'{_SURROUNDED}: the reverse-path; empty or "<>" is the null one.',
        },
        {
            "name": "to", "in": "query", "schema": {"type": "array", "items": _ref("Address")},
            "description": f"{_SURROUNDED}: the recipients, a parameter for each.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _ref("Message")},
            "message/rfc822": {"schema": {"type": "string", "description": "A message (RFC 5322), line ends as they are."}},
        },
    },
    "responses": {
        "202": _json(
            "Accepted", "The message is durable.",
            headers={
                "Idempotent-Replayed": {
                    "description": "The key was known: nothing was sent now.", "schema": {"const": "true"}
                }
            },
        ),
        "400": _problem(400),
        "401": _problem(401, **{"WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}}}),
        "403": _problem(403),
        "409": _problem(409, **_WAIT),
        "413": _problem(413),
        "415": _problem(415),
        "422": _problem(422),
        "429": _problem(429, **_WAIT),
        "503": _problem(503, **_WAIT),
    },
}  # fmt: skip
_HEALTH: Schema = {
    "operationId": "health",
    "summary": "Ask whether mail is taken",
    "security": [],
    "responses": {"200": _json("Health", "Mail is taken."), "503": _problem(503, **_WAIT)},
}
_DESCRIBE: Schema = {
    "operationId": "describe",
    "summary": "Read this document",
    "security": [],
    "responses": {
        "200": {"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}}
    },
}
