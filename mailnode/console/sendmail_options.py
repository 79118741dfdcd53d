"""The command line of the sendmail twin, read as Postfix's sendmail reads it.

Options are single letters whose value may stand in the same word or in the next one; they end at ``--`` or at the first word
that is no option. What Postfix ignores is ignored; what it knows and we do not need (the alias database) does nothing.
"""

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from mailnode.mail.envelope import Notify, Return
from mailnode.originator.receipt import USAGE

WITH_VALUE = frozenset("BCFLNORVXfhpre")
"""Options that have a value, in their word or in the next."""
WITH_WORD = frozenset("Aboqd")
"""Options whose value, if any, stands in their word."""
ALONE = frozenset("GIUcimntv")

MODES = frozenset("dHhilmpsv")
"""What may stand behind ``-b``."""
BODIES = frozenset({"7BIT", "8BITMIME"})
_NOTIFY = {"SUCCESS": Notify.SUCCESS, "FAILURE": Notify.FAILURE, "DELAY": Notify.DELAY}
_RETURNS = {"FULL": Return.FULL, "HDRS": Return.HEADERS}


class WrongUsage(Exception):  # noqa: N818 - it is a judgement
    """The command line makes no sense; the message says why."""

    code = USAGE


@define
class Options:
    """What was asked for."""

    mode: str = "m"
    """The letter of ``-b``; ``q`` to run the queue."""
    recipients: list[str] = field(factory=list)
    sender: str | None = None
    full_name: str = ""
    from_header: bool = False
    """Take the recipients from the header too."""
    ignore_dot: bool = False
    """A lone dot does not end the message."""
    notify: Notify = Notify.UNSPECIFIED
    returns: Return = Return.UNSPECIFIED
    envelope_id: str = ""
    queue_id: str = ""
    """The one message that ``-qI`` means."""
    site: str = ""
    """The domain that ``-qR`` means."""
    configuration: str | None = None
    is_verbose: bool = False
    warnings: list[str] = field(factory=list)


def read(called: str, arguments: Sequence[str]) -> Options:
    """Read the command line of a program that was ``called`` by this name; raises WrongUsage."""
    options = Options(mode={"mailq": "p", "newaliases": "i"}.get(called, "m"))
    words = list(arguments)
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        _read_word(options, word[1:], words)
    options.recipients = words
    return options


def _read_word(options: Options, letters: str, words: list[str]) -> None:
    """Read the options of one word; flags may stand together."""
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in WITH_VALUE:
            if not letters and not words:
                raise WrongUsage(f"-{letter} needs a value")
            _apply(options, letter, letters or words.pop(0))
            return
        if letter in WITH_WORD:
            _apply(options, letter, letters)
            return
        if letter not in ALONE:
            raise WrongUsage(f"there is no option -{letter}")
        _apply(options, letter, "")


def _apply(options: Options, letter: str, value: str) -> None:
    act = _ACTIONS.get(letter)
    if act is not None:
        act(options, value)


def _set_mode(options: Options, value: str) -> None:
    if value[:1] not in MODES or not value:
        raise WrongUsage(f"-b{value} is not supported")
    options.mode = value[:1]


def _set_sender(options: Options, value: str) -> None:
    options.sender = value


def _set_name(options: Options, value: str) -> None:
    options.full_name = value


def _set_body(_options: Options, value: str) -> None:
    if value.upper() not in BODIES:
        raise WrongUsage("-B takes 7BIT or 8BITMIME")


def _set_notify(options: Options, value: str) -> None:
    words = value.upper().split(",")
    if words == ["NEVER"]:
        options.notify = Notify.NEVER
    elif all(word in _NOTIFY for word in words):
        options.notify = Notify.UNSPECIFIED
        for word in words:
            options.notify |= _NOTIFY[word]
    else:
        options.warnings.append(f"-N {value}: expected never, or some of success, failure and delay; it is ignored")


def _set_return(options: Options, value: str) -> None:
    if value.upper() in _RETURNS:
        options.returns = _RETURNS[value.upper()]
    else:
        options.warnings.append(f"-R {value}: expected full or hdrs; it is ignored")


def _set_envelope_id(options: Options, value: str) -> None:
    if value.isprintable() and 0 < len(value) <= 100:
        options.envelope_id = value
    else:
        options.warnings.append("-V: expected up to 100 characters; it is ignored")


def _set_queue(options: Options, value: str) -> None:
    """-q runs the queue; -q30m asks for a daemon that does so now and then, which the node does anyway."""
    match value[:1]:
        case "I":
            options.mode, options.queue_id = "q", value[1:]
        case "R":
            options.mode, options.site = "q", value[1:]
        case "" | "f":
            options.mode = "q"
        case "S":
            raise WrongUsage(f"-q{value} is not supported")
        case _:
            options.mode = "n"


def _set_old(options: Options, value: str) -> None:
    """-o with its one-letter options; only ``i`` means anything today."""
    if value.startswith("i"):
        options.ignore_dot = True


def _set_from_header(options: Options, _value: str) -> None:
    options.from_header = True


def _set_ignore_dot(options: Options, _value: str) -> None:
    options.ignore_dot = True


def _set_configuration(options: Options, value: str) -> None:
    options.configuration = value


def _set_aliases(options: Options, _value: str) -> None:
    options.mode = "i"


def _set_verbose(options: Options, _value: str) -> None:
    options.is_verbose = True


_ACTIONS: Mapping[str, Callable[[Options, str], None]] = {
    "B": _set_body,
    "C": _set_configuration,
    "F": _set_name,
    "I": _set_aliases,
    "N": _set_notify,
    "R": _set_return,
    "V": _set_envelope_id,
    "b": _set_mode,
    "f": _set_sender,
    "i": _set_ignore_dot,
    "o": _set_old,
    "q": _set_queue,
    "r": _set_sender,
    "t": _set_from_header,
    "v": _set_verbose,
}
"""What each option does; those that are known and not named here are ignored."""
