"""The result as Markdown, ready for README."""

import math
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.bench.idle import Idle
from tests.bench.measure import Round, Spread
from tests.bench.million import FullQueue

_MIB = 1 << 20


def heading() -> Sequence[str]:
    """Give the head of the table of rates."""
    return [
        "| scenario | server | messages a second | × Postfix | of mailnode | CPU ms a message | peak MiB |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]


def rates(says: str, results: Mapping[str, Sequence[Round]], ours: str, theirs: str) -> Iterable[str]:
    """Give the lines of one scenario, one for each server; a ratio whose reference is not there is left empty."""
    medians = {name: Spread.of([one.rate for one in rounds]).median for name, rounds in results.items()}
    for number, (name, rounds) in enumerate(results.items()):
        memory = max(one.memory for one in rounds) / _MIB
        cells = [
            says if number == 0 else "",
            f"**{name}**" if name == ours else name,
            spread([one.rate for one in rounds]),
            ratio(medians[name], medians.get(theirs)),
            ratio(medians[name], medians.get(ours)),
            spread([one.cpu for one in rounds]),
            f"{memory:.0f}",
        ]
        yield line(cells)


def idle(results: Mapping[str, Idle]) -> Iterable[str]:
    """Give the table of idle sessions."""
    yield from ("| server | idle sessions | KiB each | next client, ms (slowest) |", "|---|--:|--:|--:|")
    for name, one in results.items():
        client = (
            f"{1000 * one.next_client:.1f} ({1000 * one.slowest:.1f})"
            if math.isfinite(one.slowest)
            else "takes no more"
        )
        yield line([name, f"{one.sessions}", f"{one.memory / 1024:.1f}", client])


def startup(results: Mapping[str, Sequence[float]]) -> Iterable[str]:
    """Give the table of start-ups."""
    yield from ("| server | start to first 220, ms |", "|---|--:|")
    for name, seconds in results.items():
        yield line([name, spread([1000 * one for one in seconds])])


def queue(name: str, one: FullQueue) -> Iterable[str]:
    """Give the table of the full queue."""
    yield from (
        "| server | recipients queued | accepts and relays, messages a second | of an empty queue's | first attempt after a start, s | peak MiB |",
        "|---|--:|--:|--:|--:|--:|",
    )
    rate = f"{one.full.median:.0f} ({one.full.least:.0f} .. {one.full.most:.0f})"
    yield line(
        [
            name,
            f"{one.recipients:,}",
            rate,
            ratio(one.full.median, one.empty.median),
            f"{one.first_attempt:.1f}",
            f"{one.memory / _MIB:.0f}",
        ]
    )


def line(cells: Iterable[str]) -> str:
    """Give one line of a table."""
    return f"| {' | '.join(cells)} |"


def spread(values: Sequence[float]) -> str:
    """Give median, least and most: ``414 (398 .. 430)``; small numbers with two digits behind the point."""
    one = Spread.of(values)
    form = "{:.0f}" if one.median >= 20 else "{:.2f}"
    return f"{form.format(one.median)} ({form.format(one.least)} .. {form.format(one.most)})"


def ratio(value: float, reference: float | None) -> str:
    """Give ``3.1``, or nothing without a reference."""
    return f"{value / reference:.2f}" if reference else ""


def machine(folder: Path) -> str:
    """Say what was measured on: cores, memory, kernel, file system, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, {_file_system(folder)}, "
        f"Python {platform.python_version()}"
    )


def _file_system(folder: Path) -> str:
    done = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=False)
    return done.stdout.strip().replace("ext2/ext3", "ext4") or "unknown file system"
