"""Templates of arguments: ``["/usr/bin/procmail", "-f", "{sender}", "-a", "{extension}", "-d", "{user}"]``.

Values come from the network. One that begins with ``-`` is no option, one with a slash is no path: what would become so is
refused, unless the configuration has written ``--`` before, or the option's letter into the same argument. Nothing is ever read by a shell.
"""

import re
from collections.abc import Mapping, Sequence

from attrs import frozen

from mailnode.gateways.api import Failed, Mailbox, OutgoingMessage, OutgoingRecipient, Trouble

FIELDS = (
    "address", "recipient", "local", "domain", "user", "extension", "sender", "queue_id", "key", "size", "attempt",
    "mark", "traceparent",
)  # fmt: skip
"""What may stand in braces: address is what the address map gives, recipient the mail address, user and extension are what
stands before and behind ``+`` in its local part."""
OF_ONE = ("address", "recipient", "local", "domain", "user", "extension", "key")
ALL = "{recipients}"
"""An argument of its own: it becomes one argument for every recipient, and the program runs once for all."""
_FIELD = re.compile(r"\{([a-z_]+)\}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f]")


def check(templates: Sequence[str]) -> None:
    """Look at the templates of a configuration; ValueError says what is wrong."""
    if not templates or not templates[0] or "{" in templates[0]:
        raise ValueError('expected a program and its arguments: ["/usr/bin/program", "{recipient}"]')
    names = [name for one in templates if one != ALL for name in _FIELD.findall(one)]
    wrong = [name for name in names if name not in FIELDS]
    if wrong:
        raise ValueError(f"expected one of {', '.join(FIELDS)} in braces, not {{{wrong[0]}}}")
    if ALL in templates and any(name in OF_ONE for name in names):
        raise ValueError(f"where {ALL} stands the program runs once for all: no field can be of one recipient")


def is_for_all(templates: Sequence[str]) -> bool:
    """Tell whether one run is for all recipients."""
    return ALL in templates


@frozen
class Values:
    """What is filled into templates."""

    fields: Mapping[str, str]
    addresses: Sequence[str]
    """What ALL becomes."""


def values_of(message: OutgoingMessage, recipients: Sequence[OutgoingRecipient], *, null_sender: str) -> Values:
    """Gather the values of one run."""
    first = recipients[0]
    local, domain = first.mailbox.local_part, first.mailbox.domain
    user, _, extension = local.partition("+")
    fields = {
        "address": first.address, "recipient": str(first.mailbox), "local": local, "domain": domain, "user": user,
        "extension": extension, "sender": sender_of(message.sender, null_sender), "queue_id": message.queue_id,
        "key": first.key, "size": str(len(message.octets())), "attempt": str(message.attempt), "mark": message.mark,
        "traceparent": message.traceparent,
    }  # fmt: skip
    return Values(fields, [one.address for one in recipients])


def sender_of(mailbox: Mailbox, null_sender: str) -> str:
    """Write the reverse-path, the null one as the configuration says."""
    return str(mailbox) or null_sender


def filled(templates: Sequence[str], values: Values) -> list[str]:
    """Make the arguments; Trouble for a value that would be more than a value there."""
    made: list[str] = []
    is_safe = False
    for template in templates:
        if template == ALL:
            made.extend(_guarded("", one, "{}", is_safe=is_safe) for one in values.addresses)
            continue
        is_safe = is_safe or template == "--"
        made.append(_filled(template, values.fields, is_safe=is_safe))
    return made


def _filled(template: str, fields: Mapping[str, str], *, is_safe: bool) -> str:
    written = _FIELD.sub(lambda found: _value(template, found[0], fields[found[1]]), template)
    return _guarded(template, written, template, is_safe=is_safe)


def _value(template: str, name: str, value: str) -> str:
    is_in_path = "/" in template.replace(name, "")
    if is_in_path and ("/" in value or value in ("", ".", "..")):
        raise Trouble(Failed(f"{name} cannot be part of a path here", "5.1.3"))
    return value


def _guarded(template: str, written: str, name: str, *, is_safe: bool) -> str:
    if _UNFIT.search(written):
        raise Trouble(Failed(f"{name} cannot be given to a program: it holds a control character", "5.1.3"))
    if written.startswith("-") and not template.startswith("-") and not is_safe:
        raise Trouble(Failed(f"{name} cannot be given to a program: it would read as an option", "5.1.3"))
    return written
