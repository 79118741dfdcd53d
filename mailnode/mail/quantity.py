"""Durations and sizes, as a person writes them in a setting: ``"4h"``, ``"1d 12h"``, ``"25 MiB"``."""

import re
from typing import NewType

Seconds = NewType("Seconds", float)
"""A length of time."""

Octets = NewType("Octets", int)
"""A size; RFC 5321 counts octets, never characters."""

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_OCTETS = {
    "": 1, "b": 1,
    "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4,
    "kib": 1024, "mib": 1024**2, "gib": 1024**3, "tib": 1024**4,
}  # fmt: skip
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|[smhdw])\s*)+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII)


def parse_seconds(text: str) -> Seconds:
    """Read a duration: numbers, each with a unit of ms, s, m, h, d or w; ValueError says what would be right."""
    folded = text.strip().lower()
    if not _DURATION.fullmatch(folded):
        raise ValueError(f'expected a duration such as "30s", "15m", "4h" or "5d", not {text!r}')
    return Seconds(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(folded)))


def parse_octets(text: str) -> Octets:
    """Read a size: a number with an optional unit of B, kB, KiB, MB, MiB, GB, GiB, TB or TiB."""
    found = _SIZE.fullmatch(text.strip().lower())
    if found is None or found[2] not in _OCTETS:
        raise ValueError(f'expected a size such as "64 KiB" or "25 MiB", not {text!r}')
    return Octets(round(float(found[1]) * _OCTETS[found[2]]))


def render_seconds(seconds: float) -> str:
    """Write a duration with at most its two largest units: 5430 is ``"1h 30m"``."""
    left = round(seconds)
    parts: list[str] = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_SECONDS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def render_octets(octets: int) -> str:
    """Write a size in the largest binary unit it fills: 26214400 is ``"25 MiB"``."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        size = _OCTETS[unit.lower()]
        if octets >= size:
            return f"{octets / size:.4g} {unit}"
    return f"{octets} B"
