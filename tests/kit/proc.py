"""What /proc says about a process and all its children: processor time and memory (Linux only)."""

import os
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@frozen
class _Stat:
    """The fields of /proc/PID/stat we use (proc(5))."""

    parent: int
    cpu: float
    """Seconds of the process and of those children that it has waited for."""


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command's name stands in parentheses and may hold blanks: what counts begins behind the last one.
    fields = text.rpartition(")")[2].split()
    return _Stat(parent=int(fields[1]), cpu=sum(int(field) for field in fields[11:15]) / _TICK)


def tree(pid: int) -> Iterator[int]:
    """Give the process and all its descendants that live now."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(stat.parent, []).append(int(entry.name))
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(children.get(current, ()))


def cpu_seconds(pid: int) -> float:
    """Add up the processor time of the whole tree, those that have ended included."""
    return sum(stat.cpu for stat in map(_stat, tree(pid)) if stat is not None)


def memory(pid: int) -> int:
    """Add up the memory of the whole tree in octets: PSS, so that shared pages count once."""
    return sum(map(_pss, tree(pid)))


def _pss(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def open_files(pid: int) -> int:
    """Count the file descriptors that the process holds."""
    return len(os.listdir(_PROC / str(pid) / "fd"))
