"""Everything that must hold before a change goes in, as one command: ``python tests/check.py``.

Each step's output is shown as it comes; a summary stands at the end, and the exit status is 1 if any step failed.
Arguments are handed to pytest (``--slow`` for what takes minutes). Continuous integration runs exactly this.
"""

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
_SCRIPTS = Path(sys.executable).parent

Step = Callable[[Sequence[str]], bool]
"""Gets the arguments for pytest, says whether all was well."""


def _run(*command: str | Path, cwd: Path = ROOT) -> bool:
    """Run a program with its output in view and tell whether it succeeded."""
    print("$", *command, flush=True)
    return subprocess.run([str(word) for word in command], cwd=cwd, check=False).returncode == 0


def _tool(*command: str) -> Step:
    """Make a step of one command of the environment this script runs in."""
    return lambda _arguments: _run(_SCRIPTS / command[0], *command[1:])


def _pytest(arguments: Sequence[str]) -> bool:
    """Run the tests under branch coverage; the lowest share allowed stands in pyproject.toml."""
    return _run(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-ra",
        "--durations=15",
        "--numprocesses=2",
        "--dist=loadfile",
        "--cov",
        "--cov-report=term:skip-covered",
        *arguments,
    )


def _wheel(_arguments: Sequence[str]) -> bool:
    """Build the wheel, install it where nothing else is, and start what it brings."""
    with tempfile.TemporaryDirectory(prefix="mailnode-wheel.") as name:
        folder = Path(name)
        if not _run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, "."):
            return False
        venv.create(folder / "clean", with_pip=True)
        scripts = folder / "clean" / "bin"
        commands: tuple[tuple[str | Path, ...], ...] = (
            (scripts / "pip", "install", "--quiet", *folder.glob("*.whl")),
            (scripts / "twistd", "mailnode", "--help"),
            (scripts / "mailnode", "check", "--config", ROOT / "etc" / "mailnode.toml"),
        )
        return all(_run(*command, cwd=folder) for command in commands)


@frozen
class Check:
    """One line of the table."""

    name: str
    step: Step


CHECKS = (
    Check("format", _tool("ruff", "format", "--check", ".")),
    Check("lint", _tool("ruff", "check", ".")),
    Check("types", _tool("mypy")),
    Check("imports go down", _tool("lint-imports")),
    Check("tests", _pytest),
    Check("wheel", _wheel),
)


def main(arguments: Sequence[str]) -> int:
    """Run every check, also behind one that failed, and give the exit status."""
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    results: list[tuple[str, bool, float]] = []
    for check in CHECKS:
        print(f"\n=== {check.name} ===", flush=True)
        begun = time.monotonic()
        well = check.step(arguments)
        results.append((check.name, well, time.monotonic() - begun))
    print("\n=== summary ===")
    for name, well, seconds in results:
        print(f"{'ok' if well else 'FAILED':<8}{name:<20}{seconds:7.1f} s", flush=True)
    return 0 if all(well for _, well, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
