"""Who may post, and what: the file of tokens. Pure; ``gateway`` reads the file and looks for changes.

Only digests of tokens are kept. A token is long and random (at least ``SHORTEST`` characters are asked for), so SHA-256 without
salt or stretching is enough: there is nothing to guess. All digests are compared, each in constant time.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence

from attrs import Factory, define, field, frozen

from mailnode.gateways.api import Mailbox, parse_mailbox, parse_rate

SHORTEST = 24
"""Characters of a plain token in the file, at least."""
NULL_PATH = "<>"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


@frozen
class Client:
    """A program that posts."""

    name: str
    digest: bytes = field(repr=False)
    """The SHA-256 of its token."""
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ("*",)
    rate: float = 0.0
    """Messages a second; 0: any number."""

    def may_send_from(self, mailbox: Mailbox | None) -> bool:
        """Tell whether it may write as this mailbox; None is the null reverse-path."""
        return NULL_PATH in self.senders if mailbox is None else _fits(mailbox, self.senders)

    def may_send_to(self, mailbox: Mailbox) -> bool:
        """Tell whether it may write to this mailbox."""
        return _fits(mailbox, self.recipients)


@define
class Clients:
    """All of them."""

    known: Sequence[Client] = Factory(list)
    has_plain: bool = False
    """The file holds tokens themselves."""

    def find(self, token: str) -> Client | None:
        """Give whose token it is; takes as long for each."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        found = None
        for one in self.known:
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found


def read_clients(text: str) -> Clients:
    """Read the file of tokens; ValueError tells of the first line that is wrong."""
    known: dict[str, Client] = {}
    has_plain = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            one = _read(line)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if one.name in known:
            raise ValueError(f"line {number}: {one.name} stands there twice")
        known[one.name] = one
        has_plain = has_plain or line.split()[1].startswith("plain:")
    return Clients(list(known.values()), has_plain)


def _read(line: str) -> Client:
    name, *words = line.split()
    if not _NAME.fullmatch(name):
        raise ValueError("a name has letters, digits, dots, - and _")
    if not words:
        raise ValueError(f"{name} has no token")
    given = dict(_option(word) for word in words[1:])
    if len(given) < len(words) - 1:
        raise ValueError("an option stands there twice")
    if "from" not in given:
        raise ValueError(f"{name} has no from=, so it may send as nobody")
    options = {_OPTIONS[key][0]: _OPTIONS[key][1](value) for key, value in given.items()}
    return Client(name, _digest(words[0]), **options)  # type: ignore[arg-type]  # each by its own reader


def _digest(secret: str) -> bytes:
    form, _, value = secret.partition(":")
    if form == "sha256" and _DIGEST.fullmatch(value):
        return bytes.fromhex(value)
    if form == "plain" and len(value) >= SHORTEST:
        return hashlib.sha256(value.encode()).digest()
    raise ValueError(f"expected sha256: and 64 hexadecimal digits, or plain: and {SHORTEST} characters or more")


def _option(word: str) -> tuple[str, str]:
    key, is_one, value = word.partition("=")
    if not is_one or key not in _OPTIONS:
        raise ValueError(f"expected {', '.join(f'{one}=' for one in _OPTIONS)}, not {key}")
    return key, value


def _patterns(value: str) -> tuple[str, ...]:
    return tuple(_pattern(one) for one in value.split(",") if one)


def _pattern(one: str) -> str:
    if one in ("*", NULL_PATH):
        return one
    if one.startswith("@"):
        parse_mailbox(f"x@{one[1:].removeprefix('*.')}")
    else:
        parse_mailbox(one)
    return one.lower()


def _fits(mailbox: Mailbox, patterns: Sequence[str]) -> bool:
    domain, whole = mailbox.domain.lower(), str(mailbox).lower()
    for one in patterns:
        if one in ("*", whole, f"@{domain}") or (one.startswith("@*.") and domain.endswith(one[2:])):
            return True
    return False


_OPTIONS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "from": ("senders", _patterns),
    "to": ("recipients", _patterns),
    "rate": ("rate", parse_rate),
}
