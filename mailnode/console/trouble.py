"""How a command ends when it cannot do what was asked: one line, and an exit code of sysexits.h."""

import sys
from typing import IO, Any

import click

USAGE, UNAVAILABLE, INPUT, DENIED, CONFIGURATION = 64, 69, 66, 77, 78


class Trouble(click.ClickException):
    """The command ends with ``code`` after the message."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message on standard error."""
        click.echo(f"mailnode: {self.message}", file=file or sys.stderr)
