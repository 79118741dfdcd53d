"""Servers that are not installed: fetched once from Debian, npm and PyPI, unpacked beside the bench, not installed.

Debian's mail servers exclude one another as packages. Unpacked, they need nothing but their libraries.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.kit.programs import find

FETCH_SECONDS = 240.0
_DEBIAN = {
    "exim": ("exim4-daemon-light", "usr/sbin/exim4"),
    "opensmtpd": ("opensmtpd", "usr/sbin/smtpd"),
    "chasquid": ("chasquid", "usr/bin/chasquid"),
}
"""Package and program of each; chasquid delivers with OpenSMTPD's mail.maildir."""


def fetch(folder: Path) -> None:
    """Get what is not in ``folder`` yet; says what cannot be had and goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, how in _WAYS.items():
        if not (folder / name).exists():
            print(f"fetching {name}", file=sys.stderr)
            try:
                how(folder, name)
            except (OSError, subprocess.SubprocessError) as trouble:
                print(f"{name} cannot be had: {trouble}", file=sys.stderr)


def lacks(program: Path) -> str:
    """Tell why an unpacked program cannot run here: it, or one of its libraries, is missing."""
    if not program.exists():
        return f"{program.name} could not be fetched"
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    missing = [line.split()[0] for line in done.stdout.splitlines() if line.endswith("not found")]
    return f"it needs {', '.join(missing)}" if missing else ""


def said_by(*command: str | Path) -> str:
    """Give what a program says of itself, on whichever output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=20.0)
    return done.stdout + done.stderr


def version_in(text: str) -> str:
    """Give the first thing in ``text`` that looks like a version."""
    found = re.search(r"\d+\.\d+[\w.+~-]*", text)
    return found.group() if found else "of an unknown version"


def _debian(folder: Path, name: str) -> None:
    package, _ = _DEBIAN[name]
    _run(["apt-get", "-qq", "download", package], folder)
    archive = next(folder.glob(f"{package}_*.deb"))
    _run(["dpkg", "-x", str(archive), str(folder / name)], folder)
    archive.unlink()


def _npm(folder: Path, name: str) -> None:
    npm = find("npm")
    if npm is None:
        raise OSError("npm is not installed")
    switches = ["--omit=dev", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run([npm, "install", "--prefix", str(folder / name), *switches, _HARAKA], folder)


def _pypi(folder: Path, name: str) -> None:
    _run([sys.executable, "-m", "venv", str(folder / name)], folder)
    _run([str(folder / name / "bin" / "pip"), "-q", "install", name], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=FETCH_SECONDS, stdout=subprocess.DEVNULL)


_HARAKA = "Haraka@3.1.5"
"""A version whose dependencies are all in the registry."""

_WAYS: Mapping[str, Callable[[Path, str], None]] = {
    **dict.fromkeys(_DEBIAN, _debian),
    "haraka": _npm,
    "aiosmtpd": _pypi,
}
