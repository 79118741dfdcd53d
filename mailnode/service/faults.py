"""What is wrong with a configuration: a path as a person writes it, and a sentence that says what would be right.

All faults are collected before anyone is told: whoever mends a file wants to mend it once. cattrs raises groups of
exceptions, one inside the other; ``faults_of`` walks them down and keeps the path.
"""

import difflib
from collections.abc import Iterable, Iterator

import attrs
from attrs import frozen

Steps = tuple[str | int, ...]
"""The way down to a setting: keys, and places in lists counted from 0."""

_PLAIN = str.maketrans("_-, ", "aaaa")
"""Characters that need no quotes in a path."""


@frozen
class Fault:
    """One thing that is wrong."""

    steps: Steps
    problem: str
    """What would be right."""

    @property
    def path(self) -> str:
        """Write the steps as a person does: ``listener[1].endpoint``."""
        return "".join(map(_step, self.steps)).removeprefix(".") or "configuration"

    def __str__(self) -> str:
        """Render as one line."""
        return f"{self.path}: {self.problem}"


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    is_plain = step.translate(_PLAIN).isalnum()
    return f".{step}" if is_plain else f'."{step}"'


class ConfigurationFaults(Exception):  # noqa: N818 - the faults are what it holds
    """A configuration that cannot be used, with every reason why."""

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.source = source
        self.faults = tuple(faults)
        super().__init__(source, self.faults)

    def __str__(self) -> str:
        """Render the report: a heading and a line for each fault."""
        count = len(self.faults)
        heading = f"{self.source}: {count} fault{'s' if count != 1 else ''}"
        return "\n".join((heading, *(f"  {fault}" for fault in self.faults)))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Say which word was likely meant, or else which words there are."""
    words = sorted(known)
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"there are {', '.join(words)}" if words else "there are none"


def faults_of(error: Exception, steps: Steps = ()) -> Iterator[Fault]:
    """Walk what cattrs raised and give a fault for each leaf."""
    # Only a file with faults pays for these names.
    from cattrs.errors import (  # noqa: PLC0415
        BaseValidationError,
        ClassValidationError,
        ForbiddenExtraKeysError,
        IterableValidationError,
    )

    match error:
        case ClassValidationError():
            named, unnamed = error.group_exceptions()
            inner: list[tuple[Exception, str | int]] = [(cause, note.name) for cause, note in named]
        case IterableValidationError():
            placed, unnamed = error.group_exceptions()
            inner = [(cause, note.index) for cause, note in placed]
        case BaseValidationError():
            inner, unnamed = [], list(error.exceptions)
        case ForbiddenExtraKeysError():
            known = [field.name for field in attrs.fields(error.cl) if field.init]
            for key in sorted(error.extra_fields):
                yield Fault((*steps, key), f"there is no such setting; {suggestion(key, known)}")
            return
        case KeyError() if error.args == steps[-1:]:  # so cattrs says that a field without a default is not there
            yield Fault(steps, "must be given: it has no default")
            return
        case _:
            yield Fault(steps, str(error) or type(error).__name__)
            return
    for cause, step in inner:
        yield from faults_of(cause, (*steps, step))
    for cause in unnamed:
        yield from faults_of(cause, steps)


def without(table: object, steps: Steps) -> None:
    """Take the setting at ``steps`` out of a TOML table, so that the rest can be looked at as well.

    What stands in a list goes with its list, unless it is a table: places of other tables must not change.
    """
    at, holder, key = table, table, ""
    for step in steps:
        if isinstance(at, dict) and isinstance(step, str):
            holder, key = at, step
            at = at.get(step)
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
            if isinstance(at, dict):
                holder = at
    if isinstance(holder, dict):
        holder.pop(key, None)
