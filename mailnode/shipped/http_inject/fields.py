"""A JSON body becomes a Draft. Pure; every fault is told with its place, as a JSON pointer or a line and column.

Unknown fields are faults: a misspelled ``bcc`` must not be mail that goes nowhere. What a field is called is what the webhook calls it.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from mailnode.gateways.api import Attachment, Draft, Mailbox
from mailnode.shipped.http_inject.problems import Wrong
from mailnode.shipped.http_inject.values import MOST_RECIPIENTS, Posted, address, clean, line

T = TypeVar("T")

MOST_HEADERS = 50
MOST_FILES = 200
ALLOWED = re.compile(
    r"(?!x-mailnode-)(?:reply-to|keywords|comments|organization|importance|priority|precedence|sensitivity|feedback-id|"
    r"auto-submitted|list-[a-z-]+|x-[a-z0-9-]+)",
    re.ASCII | re.IGNORECASE,
)
"""Header fields that a client may set; all others are ours to write, or have a field of JSON."""
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>", re.ASCII)
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}", re.ASCII)

Named = tuple[Mailbox, str]


def read_json(body: bytes) -> Posted:
    """Read a body; raises Wrong."""
    given = _object(_parsed(body), "", _FIELDS)
    if "from" not in given:
        raise Wrong("invalid", "from is missing", pointer="/from")
    read: dict[str, Any] = {name: _FIELDS[name](value, f"/{name}") for name, value in given.items()}
    sender, sender_name = read["from"]
    lists: dict[str, Sequence[Named]] = {name: read.get(name, ()) for name in ("to", "cc", "bcc")}
    everybody = tuple(dict.fromkeys(one for named in lists.values() for one, _ in named))
    if not everybody:
        raise Wrong("invalid", "to, cc and bcc name nobody", pointer="/to")
    if len(everybody) > MOST_RECIPIENTS:
        raise Wrong("invalid", f"more than {MOST_RECIPIENTS} recipients", pointer="/to")
    draft = Draft(
        str(sender), [str(one) for one, _ in lists["to"]], read.get("text", ""), read.get("html", ""),
        read.get("subject", ""), sender_name, files=read.get("attachments", ()),
        in_reply_to=read.get("in_reply_to", ""), references=read.get("references", ()),
        is_automatic=read.get("automatic", False), extra=read.get("headers", ()),
        cc=[str(one) for one, _ in lists["cc"]],
        names={str(one): name for part in ("to", "cc") for one, name in lists[part] if name},
    )  # fmt: skip
    return Posted(draft, sender, everybody, (("/from", sender),))


# --- JSON -------------------------------------------------------------------------------------------------------


def _parsed(body: bytes) -> object:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Wrong("malformed", f"octet {error.start} is no UTF-8") from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Wrong("malformed", f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise Wrong("malformed", "too many brackets within one another") from None
    except ValueError as error:
        raise Wrong("malformed", str(error)[:200]) from None


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Wrong("malformed", f"{twice[:100]!a} stands twice in one object")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _object(value: object, pointer: str, fields: Mapping[str, object]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Wrong("invalid", "expected an object", pointer=pointer)
    unknown = next((name for name in value if name not in fields), None)
    if unknown is not None:
        raise Wrong(
            "invalid", f"not known; known are {', '.join(fields)}", pointer=f"{pointer}/{_escaped(str(unknown))}"
        )
    return value


def _escaped(name: str) -> str:
    """Write a name as a part of a JSON pointer (RFC 6901 section 3), cut to what one can read."""
    return ascii(name[:100])[1:-1].replace("~", "~0").replace("/", "~1")


def _list(value: object, pointer: str, read: Callable[[object, str], T], most: int) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise Wrong("invalid", "expected an array", pointer=pointer)
    if len(value) > most:
        raise Wrong("invalid", f"more than {most}", pointer=pointer)
    return tuple(read(one, f"{pointer}/{place}") for place, one in enumerate(value))


# --- fields -----------------------------------------------------------------------------------------------------


def _person(value: object, pointer: str) -> Named:
    """Read ``"ann@example.org"`` or ``{"address": ..., "name": ...}``."""
    if not isinstance(value, dict):
        return address(value, pointer), ""
    given = _object(value, pointer, {"address": 1, "name": 1})
    return address(given.get("address"), f"{pointer}/address"), line(given.get("name", ""), f"{pointer}/name")


def _people(value: object, pointer: str) -> tuple[Named, ...]:
    return _list(value, pointer, _person, MOST_RECIPIENTS)


def _flag(value: object, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise Wrong("invalid", "expected true or false", pointer=pointer)
    return value


def _message_id(value: object, pointer: str) -> str:
    text = line(value, pointer, 500)
    if not _MESSAGE_ID.fullmatch(text):
        raise Wrong("invalid", "expected a Message-ID such as <id@example.org>", pointer=pointer)
    return text


def _message_ids(value: object, pointer: str) -> tuple[str, ...]:
    return _list(value, pointer, _message_id, 100)


def _headers(value: object, pointer: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise Wrong("invalid", "expected an object", pointer=pointer)
    if len(value) > MOST_HEADERS:
        raise Wrong("invalid", f"more than {MOST_HEADERS}", pointer=pointer)
    if len({name.lower() for name in value}) < len(value):
        raise Wrong("invalid", "a field stands there twice", pointer=pointer)
    return tuple(
        (_header_name(name, pointer), line(text, f"{pointer}/{_escaped(name)}")) for name, text in value.items()
    )


def _header_name(name: str, pointer: str) -> str:
    if len(name) > 64 or not ALLOWED.fullmatch(name):
        raise Wrong("invalid", "a client may not set this field", pointer=f"{pointer}/{_escaped(name)}")
    return name


def _file(value: object, pointer: str) -> Attachment:
    given = _object(value, pointer, {"name": 1, "content_type": 1, "base64": 1})
    kind = line(given.get("content_type", "application/octet-stream"), f"{pointer}/content_type")
    if not _CONTENT_TYPE.fullmatch(kind):
        raise Wrong("invalid", "expected a media type such as text/csv", pointer=f"{pointer}/content_type")
    text = clean(given.get("base64"), f"{pointer}/base64")
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong("malformed", f"no base64: {error}", pointer=f"{pointer}/base64") from None
    return Attachment(line(given.get("name", ""), f"{pointer}/name", 255), kind.lower(), octets)


def _files(value: object, pointer: str) -> tuple[Attachment, ...]:
    return _list(value, pointer, _file, MOST_FILES)


_FIELDS: Mapping[str, Callable[[object, str], Any]] = {
    "from": _person,
    "to": _people,
    "cc": _people,
    "bcc": _people,
    "subject": line,
    "text": clean,
    "html": clean,
    "in_reply_to": _message_id,
    "references": _message_ids,
    "automatic": _flag,
    "headers": _headers,
    "attachments": _files,
}
