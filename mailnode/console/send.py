"""``mailnode send``: give the node a message, from a file or from standard input."""

import re
import sys
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import click

from mailnode.console.configuration import settings_from, with_config
from mailnode.console.link import ask
from mailnode.console.printing import json_line
from mailnode.console.trouble import INPUT, Trouble
from mailnode.originator.lines import crlf

BLOCK = 1 << 16
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
IN_MEMORY = 1 << 20
"""Octets of a message that are kept in memory; a larger one goes through a temporary file."""


@click.command()
@click.option("--from", "sender", metavar="ADDRESS", required=True, help='The reverse-path; "<>" for the null one.')
@click.option("--to", "to", metavar="ADDRESS", required=True, multiple=True, help="A recipient; may be given often.")
@click.argument("file", required=False)
@with_config
def send(config: str | None, sender: str, to: tuple[str, ...], file: str | None) -> None:
    """Send the message in FILE (or on standard input) and print its queue id.

    Lines may end in LF or CRLF; on their way they end in CRLF. A text whose first line is no header field is a body.
    """
    settings = settings_from(config)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as content:
        try:
            if file in (None, "-"):
                _copy(sys.stdin.buffer, content)
            else:
                with open(str(file), "rb") as source:  # noqa: PTH123 - "-" and names are alike to the user
                    _copy(source, content)
        except OSError as error:
            raise Trouble(f"{file or 'standard input'}: {error.strerror or error}", code=INPUT) from None
        size = content.tell()
        content.seek(0)
        request = {"command": "send", "from": sender, "to": list(to), "size": size}
        done = ask(settings, request, show=json_line, content=_blocks(content))
    click.echo(done["queue_id"])


def _copy(source: BinaryIO, target: "tempfile.SpooledTemporaryFile[bytes]") -> None:
    for block in headed(crlf(_blocks(source))):
        target.write(block)


def _blocks(source: "BinaryIO | tempfile.SpooledTemporaryFile[bytes]") -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def headed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Put the empty line before a body that comes without any header, or our trace fields would make it a header.

    The lines end in CRLF. A first line ``From `` before a header is what mbox files part messages with; it is left out.
    """
    start = b""
    for block in blocks:
        start += block
        if start.count(b"\r\n") > 1 or len(start) > BLOCK:
            break
    first, _, rest = start.partition(b"\r\n")
    if first.startswith(b"From ") and _FIELD.match(rest):
        start = rest
    yield start if not start or start.startswith(b"\r\n") or _FIELD.match(start) else b"\r\n" + start
    yield from blocks
