"""Address templates: ``"{user}.{server}@xmpp.example <-> {user}@{server}"``, reversible by construction.

The left side is a mail address, the right side what the other system calls the same person or place. Both hold the same
fields. Why both ways are one-to-one:

* A field never swallows what separates it from the next one: on the mail side the separator's first character is escaped
  inside the field; on the other side, which has its own syntax and knows no escape, a value that holds it has no mail
  address.
* The escape is ``=`` and two hexadecimal digits for each octet of UTF-8. ``=`` itself, everything that needs quotes in a
  local part, blanks, controls, letters that are not ASCII, and dots where a dot-string has none are escaped. So every
  value has exactly one form, and a form that escapes what needs no escape is no address of ours.
* A field in the domain takes only what a domain may hold, in lower case.
"""

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from mailnode.mail.address import MAX_LOCAL_PART, MAX_MAILBOX, Mailbox, quote

_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/?^_`{|}~-.")
_ESCAPED = re.compile(r"=([0-9A-F]{2})")
_DOMAIN = re.compile(r"(?:[a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9]))*")
MAX_VALUE = 300
"""Characters of an address of the other side."""

Values = Mapping[str, str]


@frozen
class _Side:
    """One side of a template: literals, and fields between them."""

    literals: tuple[str, ...]
    """One more than fields."""
    fields: tuple[str, ...]

    def read(self, text: str, pattern: "re.Pattern[str]") -> dict[str, str] | None:
        """Take the fields' values out of a text as they stand there."""
        found = pattern.fullmatch(text)
        return None if found is None else found.groupdict()

    def write(self, values: Sequence[str]) -> str:
        """Put values between the literals."""
        rest = (value + literal for value, literal in zip(values, self.literals[1:], strict=True))
        return self.literals[0] + "".join(rest)

    def pattern(self, *, is_domain: bool = False) -> "re.Pattern[str]":
        """Make the expression whose fields end where the next literal begins."""
        written = re.escape(self.literals[0])
        for place, name in enumerate(self.fields):
            after = self.literals[place + 1]
            stop = f"[^{re.escape(after[0])}]" if after and not self._is_last(place) else "."
            written += f"(?P<{name}>{stop}+){re.escape(after)}"
        return re.compile(written, re.IGNORECASE | re.DOTALL if is_domain else re.DOTALL)

    def _is_last(self, place: int) -> bool:
        return place == len(self.fields) - 1

    def separator(self, place: int) -> str:
        """Give the character that a field may not hold; empty for the last one."""
        after = self.literals[place + 1]
        return "" if self._is_last(place) else after[0]


@frozen
class Template:
    """A pair of sides, read by ``parse_template``."""

    text: str
    local_part: _Side
    domain: _Side
    foreign: _Side

    def foreign_of(self, mailbox: Mailbox) -> str | None:
        """Give what the other side calls this mailbox; None when the template does not fit."""
        local = self.local_part.read(mailbox.local_part, self.local_part.pattern())
        domain = self.domain.read(mailbox.domain.lower(), self.domain.pattern(is_domain=True))
        if local is None or domain is None:
            return None
        try:
            values = {name: unescape(value) for name, value in local.items()} | domain
        except ValueError:
            return None
        foreign = self.foreign.write([values[name] for name in self.foreign.fields])
        # One form only: what another template or spelling would give back is not this address.
        written = self.mailbox_of(foreign)
        is_same = written is not None and written == Mailbox(mailbox.local_part, mailbox.domain.lower())
        return foreign if is_same else None

    def mailbox_of(self, foreign: str) -> Mailbox | None:
        """Give the mailbox that stands for a name of the other side; None when the template does not fit."""
        if len(foreign) > MAX_VALUE:
            return None
        values = self.foreign.read(foreign, self.foreign.pattern())
        if values is None or not all(_DOMAIN.fullmatch(values[name]) for name in self.domain.fields):
            return None
        if any(
            values[name].find(self.domain.separator(place) or "\0") >= 0
            for place, name in enumerate(self.domain.fields)
        ):
            return None
        try:
            local = [
                escape(values[name], self.local_part.separator(place))
                for place, name in enumerate(self.local_part.fields)
            ]
        except ValueError:
            return None
        domain = self.domain.write([values[name] for name in self.domain.fields])
        mailbox = Mailbox(self.local_part.write(local), domain.lower())
        is_short = len(quote(mailbox.local_part)) <= MAX_LOCAL_PART and len(str(mailbox)) <= MAX_MAILBOX
        return mailbox if is_short else None  # a longer one cannot travel


def escape(value: str, separator: str = "") -> str:
    """Write a field's value so that it may stand in a local part; ValueError for what is no UTF-8."""
    pieces = []
    for place, char in enumerate(value):
        is_edge_dot = char == "." and (place in (0, len(value) - 1) or value[place - 1] == ".")
        if char in _PLAIN and char != separator and not is_edge_dot:
            pieces.append(char)
        else:
            pieces.extend(f"={octet:02X}" for octet in char.encode())
    return "".join(pieces)


def unescape(value: str) -> str:
    """Undo ``escape``; ValueError for what it never writes."""
    octets = re.sub(_ESCAPED, lambda found: chr(int(found[1], 16)), value)
    return octets.encode("latin-1").decode()


def parse_template(text: str) -> Template:
    """Read a template; ValueError says what is wrong with it."""
    left, arrow, right = (part.strip() for part in text.partition("<->"))
    if not arrow or not left or not right:
        raise ValueError(f'expected "{{name}}@example.org <-> {{name}}", not "{text}"')
    local_part, at, domain = left.rpartition("@")
    if not at or not local_part or not domain:
        raise ValueError(f'"{left}" is no mail address with fields')
    sides = Template(text, _side(local_part), _side(domain.lower()), _side(right))
    mail_fields = [*sides.local_part.fields, *sides.domain.fields]
    if sorted(mail_fields) != sorted(sides.foreign.fields):
        raise ValueError(f'both sides of "{text}" must have the same fields')
    if len(set(mail_fields)) < len(mail_fields):
        raise ValueError(f'a field stands twice in "{text}"')
    if "=" in "".join(sides.local_part.literals):
        raise ValueError(f'"=" is the escape and cannot stand in the local part of "{text}"')
    return sides


def _side(text: str) -> _Side:
    pieces = _FIELD.split(text)
    literals, fields = tuple(pieces[::2]), tuple(pieces[1::2])
    if any("{" in literal or "}" in literal for literal in literals):
        raise ValueError(f'a field is written "{{name}}", in small letters: "{text}"')
    if any(not literal for literal in literals[1:-1]):
        raise ValueError(f'something must stand between two fields: "{text}"')
    return _Side(literals, fields)
