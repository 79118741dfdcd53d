"""What lists say to people."""

from collections.abc import Mapping
from typing import Final

HELP: Final = """\
This is the mailing list {address}{about}.

To subscribe, write to    {subscribe}
To leave, write to        {unsubscribe}
For these lines, write to {help}
Its owners read           {owner}

You will be asked to confirm: answer that question, and it is done. The
subject and text of what you write do not matter. Commands (subscribe,
unsubscribe, help) may also stand in the subject of a mail to
{request}.
"""

QUESTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "s": (
        "confirm subscribe {target}",
        (
            "Somebody, probably you, asks that {target}\nbe a member of the mailing list {address}.\n\n"
            "If that is what you want, answer this mail as it is, or write to\n\n    {confirm}\n\n"
            "with the subject you see here. If not, do nothing, and nothing will happen.\n"
        ),
    ),
    "u": (
        "confirm unsubscribe {target}",
        (
            "Somebody, probably you, asks that {target}\nget no more mail of the list {address}.\n\n"
            "If that is what you want, answer this mail as it is, or write to\n\n    {confirm}\n\n"
            "with the subject you see here. If not, do nothing, and nothing will happen.\n"
        ),
    ),
    "n": (
        "confirm add {target}",
        (
            "You ask, as an owner of {address}, to add\n\n    {target}\n\n"
            "Answer this mail as it is to do so. If it was not you who asked, do nothing.\n"
        ),
    ),
    "d": (
        "confirm remove {target}",
        (
            "You ask, as an owner of {address}, to remove\n\n    {target}\n\n"
            "Answer this mail as it is to do so. If it was not you who asked, do nothing.\n"
        ),
    ),
}
"""Subjects and texts by the action of the ticket; the subject holds the address that the ticket is about."""

DONE: Final[Mapping[str, tuple[str, str]]] = {
    "s": (
        "welcome to {name}",
        "{target} is a member of {address} now.\n\nTo post, write to {address}. To leave, write to\n{unsubscribe}.\n",
    ),
    "u": ("good-bye from {name}", "{target} is no member of {address}.\n\nTo come back, write to {subscribe}.\n"),
    "n": ("{target} is added", "{target} is a member of {address} now.\n"),
    "d": ("{target} is removed", "{target} is no member of {address}.\n"),
    "a": ("post {target} is approved", "It goes to the members of {address} now.\n"),
    "r": ("post {target} is rejected", "It will not be sent to the members of {address}.\n"),
}

STALE: Final = (
    "nothing was confirmed",
    (
        "What you answer to is no question of {address} any more: it is too old,\nwas asked of another address, or is "
        "decided already.\n\nTo ask again, see {help}.\n"
    ),
)

WAITS: Final = (
    "post {number} of {sender} waits for you",
    (
        "A post to {address} waits for an owner until {until}.\n\n"
        "To approve it, write to\n    {approve}\nTo reject it, write to\n    {reject}\n"
        "with any text; otherwise it is forgotten.\n\n"
        "From:    {sender}\nSubject: {subject}\nOctets:  {octets}\n\n{text}\n"
    ),
)

STOPPED: Final = (
    "{target} gets no more copies",
    (
        "Mail of {address} to {target}\ncame back so often that no more is sent. The last reason was:\n\n    {reason}\n\n"
        "Whoever it is may subscribe again; or write to {request}\nwith the subject: add {target}\n"
    ),
)

PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex"><title>{title}</title></head>
<body><h1>{title}</h1>{body}</body></html>
"""
ASK: Final = '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>'
