"""Passwords as the command gets them: typed twice on a terminal, or a line each on standard input."""

import getpass
import sys
from typing import TextIO

from mailnode.console.trouble import INPUT, Trouble


def password_for(address: str, source: TextIO | None = None) -> str:
    """Get the password for an account; empty when none is given. Raises Trouble when it was typed differently."""
    stream = source or sys.stdin
    if not stream.isatty():
        return stream.readline().rstrip("\r\n")
    first = getpass.getpass(f"Password for {address} (empty for none): ")
    if first and getpass.getpass("The same again: ") != first:
        raise Trouble("these were two different passwords", code=INPUT)
    return first
