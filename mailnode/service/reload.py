"""What a changed configuration means for a running node: what changes under way, and what waits for a restart."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from mailnode.service.settings import NodeSettings

_ALL = frozenset({"*"})

UNDER_WAY: dict[str, frozenset[str]] = {
    "node": frozenset({"trusted_networks", "stop_timeout"}),
    "certificate": _ALL,
    "domain": _ALL,
    "route": _ALL,
    "queue": frozenset({"retry", "jitter", "warn_after", "give_up", "bounce_give_up", "return_limit"}),
    "session": _ALL,
    "reception": _ALL,
    "terminal": _ALL,
    "originator": frozenset({"pickup_interval"}),
    "submission": _ALL,
    "etrn": _ALL,
    "log": frozenset({"format", "level"}),
}
"""Headings, and their settings that change with SIGHUP; new sessions and later attempts see them."""


def waiting_for_restart(old: NodeSettings, new: NodeSettings) -> list[str]:
    """Name the settings that differ and count only after a restart."""
    return list(_waiting(old, new))


def _waiting(old: NodeSettings, new: NodeSettings) -> Iterator[str]:
    for heading, before, after in _headings(old, new):
        changing = UNDER_WAY.get(heading, frozenset())
        if changing == _ALL:
            continue
        if isinstance(before, tuple | Mapping):
            if before != after:
                yield heading
            continue
        for setting in attrs.fields(type(before)):
            if setting.name not in changing and getattr(before, setting.name) != getattr(after, setting.name):
                yield f"{heading}.{setting.name}"


def in_effect(old: NodeSettings, new: NodeSettings) -> NodeSettings:
    """Give the settings that count now: the new ones where they change under way, the old ones elsewhere."""
    kept: dict[str, Any] = {}
    for heading, before, after in _headings(old, new):
        changing = UNDER_WAY.get(heading, frozenset())
        if changing == _ALL:
            kept[heading] = after
        elif changing:
            kept[heading] = attrs.evolve(before, **{name: getattr(after, name) for name in changing})
        else:
            kept[heading] = before
    return NodeSettings(**kept)


def _headings(old: NodeSettings, new: NodeSettings) -> Iterator[tuple[str, Any, Any]]:
    for heading in attrs.fields(NodeSettings):
        yield heading.name, getattr(old, heading.name), getattr(new, heading.name)
