"""A flame graph of one round, by py-spy: a sampling profiler that looks from outside."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_RATE = 200


def record(pid: int, graph: Path, work: Callable[[], None]) -> str:
    """Do ``work`` while the process tree at ``pid`` is sampled, and write ``graph`` (SVG); says what came of it."""
    profiler = Path(sys.executable).parent / "py-spy"
    if not profiler.exists():
        return "no flame graph: py-spy is not installed (it is in the dev extra)"
    command = [
        str(profiler),
        "record",
        "--pid",
        str(pid),
        "--subprocesses",
        "--rate",
        str(_RATE),
        "--output",
        str(graph),
    ]
    recording = subprocess.Popen([*command, "--nonblocking"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        work()
    finally:
        recording.send_signal(signal.SIGINT)
        said, _ = recording.communicate(timeout=120)
    return f"flame graph: {graph}" if graph.exists() else f"no flame graph: {said.decode(errors='replace')[-300:]}"
