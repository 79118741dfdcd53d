"""Programs we did not write: where they are, and what a test does when one is missing.

On a developer's machine a missing program skips the test and says which Debian package holds it. In CI
(``CI=true``) it fails the test: there a skipped scenario would be a silent hole.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGES = {
    "cron": "cron",
    "curl": "curl",
    "doveadm": "dovecot-core",
    "epmd": "erlang-base",
    "exim4": "exim4-daemon-light",
    "fetchmail": "fetchmail",
    "haproxy": "haproxy",
    "msmtp": "msmtp",
    "mutt": "mutt",
    "ngircd": "ngircd",
    "node": "nodejs",
    "nsd": "nsd",
    "openssl": "openssl",
    "postfix": "postfix",
    "prosody": "prosody",
    "redis-cli": "redis-tools",
    "redis-server": "redis-server",
    "s-nail": "s-nail",
    "setpriv": "util-linux",
    "smtp-sink": "postfix",
    "smtp-source": "postfix",
    "slapadd": "slapd",
    "slapd": "slapd",
    "swaks": "swaks",
    "testssl": "testssl.sh",
    "unshare": "util-linux",
    "uucico": "uucp",
    "uux": "uucp",
    "uuxqt": "uucp",
}
"""The Debian package of each program the tests use."""

_SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
IN_CI = os.environ.get("CI", "").lower() == "true"


def find(name: str) -> str | None:
    """Give the full path of an installed program, or None."""
    return shutil.which(name, path=_SEARCH_PATH)


def program(name: str) -> str:
    """Give the full path of a program that the running test cannot do without."""
    found = find(name)
    if found is None:
        missing(f"{name} is not installed (Debian package {PACKAGES.get(name, name)})")
    return found


def missing(reason: str) -> NoReturn:
    """End the running test because something it needs is not there."""
    if IN_CI:
        pytest.fail(f"CI must have it: {reason}", pytrace=False)
    pytest.skip(reason)


def need_root() -> None:
    """End the running test unless it runs as root (ports below 1024, mounts, other users)."""
    if os.geteuid() != 0:
        missing("this needs root")


def need_namespaces() -> None:
    """Skip the running test where the system lets nobody have mounts of his own: a container may forbid that to root."""
    need_root()
    if subprocess.run([program("unshare"), "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this needs mount namespaces")


def need_nodemailer() -> str:
    """Give the path of node, once it is known that it finds nodemailer (through NODE_PATH)."""
    node = program("node")
    if subprocess.run([node, "-e", "require('nodemailer')"], capture_output=True, check=False).returncode:
        missing("node finds no nodemailer: npm install --prefix DIR nodemailer, then NODE_PATH=DIR/node_modules")
    return node


def need_node_package(name: str) -> str:
    """Give the path of node, once it is known that it finds a package of npm (through NODE_PATH)."""
    node = program("node")
    if subprocess.run([node, "-e", f"require('{name}')"], capture_output=True, check=False).returncode:
        missing(f"node finds no {name}: npm install --prefix DIR {name}, then NODE_PATH=DIR/node_modules")
    return node


def script(name: str) -> str:
    """Give the path of a command installed beside the running Python, ``twistd`` or ``mailnode``."""
    return str(Path(sys.executable).parent / name)
