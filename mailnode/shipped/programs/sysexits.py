"""What an exit status means for mail (sysexits.h): the table of Postfix's pipe(8), but for what is no status of mail.

An enhanced status code at the beginning of the output counts more than an exit status other than 0. What sysexits.h does not know
(1 of a crash, 127 of a command that is not there, a signal, a time limit) is trouble of this machine and passes: Delayed.
"""

import re
from collections.abc import Mapping
from typing import Literal

from mailnode.gateways.api import Delayed, Delivered, Failed, Outcome
from mailnode.shipped.programs.processes import Exit

Meaning = Literal["delivered", "delayed", "failed"]

_TABLE: Mapping[int, tuple[str, Outcome]] = {
    64: ("EX_USAGE", Failed("", "5.3.0")),
    65: ("EX_DATAERR", Failed("", "5.6.0")),
    66: ("EX_NOINPUT", Failed("", "5.3.0")),
    67: ("EX_NOUSER", Failed("", "5.1.1")),
    68: ("EX_NOHOST", Failed("", "5.1.2")),
    69: ("EX_UNAVAILABLE", Failed("", "5.3.0")),
    70: ("EX_SOFTWARE", Failed("", "5.3.0")),
    71: ("EX_OSERR", Delayed("", "4.3.0")),
    72: ("EX_OSFILE", Failed("", "5.3.0")),
    73: ("EX_CANTCREAT", Failed("", "5.2.0")),
    74: ("EX_IOERR", Delayed("", "4.3.0")),
    75: ("EX_TEMPFAIL", Delayed("", "4.3.0")),
    76: ("EX_PROTOCOL", Failed("", "5.5.0")),
    77: ("EX_NOPERM", Failed("", "5.7.0")),
    78: ("EX_CONFIG", Failed("", "5.3.5")),
    126: ("the command cannot be run", Delayed("", "4.3.5")),
    127: ("the command was not found", Delayed("", "4.3.5")),
}
_OTHER = Delayed("", "4.3.0")
_MEANINGS: Mapping[str, Outcome] = {
    "delivered": Delivered(""),
    "delayed": Delayed("", "4.3.0"),
    "failed": Failed("", "5.3.0"),
}
_STATUS = re.compile(r"([45]\.\d{1,3}\.\d{1,3})(?:\s+|$)(.*)", re.ASCII | re.DOTALL)


def outcome_of_exit(done: Exit, own: Mapping[str, Meaning]) -> Outcome:
    """Say what became of a message; ``own`` is the configuration's table, which comes first."""
    words = done.output.decode("utf-8", "replace").strip()
    if done.is_success and "0" not in own:
        return Delivered(words or "the program has taken it")
    name, known = _TABLE.get(done.status, ("", _OTHER))
    text = f"{done}{f' ({name})' if name else ''}"
    meant = None if done.overdue or done.signal else _MEANINGS.get(own.get(str(done.status), ""))
    if meant is None:
        said = _STATUS.match(words)
        if said is not None:
            return _as(Failed("") if said[1][0] == "5" else Delayed(""), f"{text}: {said[2]}", said[1])
        meant = _OTHER if done.overdue or done.signal else known
    return _as(meant, f"{text}: {words}" if words else text)


def _as(outcome: Outcome, text: str, status: str = "") -> Outcome:
    match outcome:
        case Failed():
            return Failed(text, status or outcome.status)
        case Delayed():
            return Delayed(text, status or outcome.status)
        case _:
            return Delivered(text)
