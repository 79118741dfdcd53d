"""Files of a mail, written where a web server finds them, and told of by links."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from mailnode.gateways.api import Attachment, GatewayNode, with_attachments

_DANGEROUS = ("htm", "html", "xhtml", "shtml", "svg", "xml", "js", "php", "cgi")
"""Suffixes that a web server may take for more than a file."""


async def linked(node: GatewayNode, text: str, files: Sequence[Attachment], *, key: str, folder: str, url: str) -> str:
    """Write the files and give the text with a line for each; a second try writes the same names."""
    names = {id(one): link_name(key, one) for one in files}
    for one in files:
        await node.disk.run(partial(_write, Path(folder) / names[id(one)], one.octets))
    return with_attachments(text, files, "link", lambda one: f"{url.rstrip('/')}/{names[id(one)]}").text


def link_name(key: str, one: Attachment) -> str:
    """Name a file so that only who has the link finds it."""
    digest = sha256(b"\0".join((key.encode(), one.name.encode("utf-8", "replace"), one.octets))).hexdigest()[:40]
    suffix = "".join(char for char in Path(one.name).suffix.lower() if char.isascii() and char.isalnum())[:8]
    return f"{digest}.{suffix}" if suffix and suffix not in _DANGEROUS else f"{digest}.bin"


def _write(path: Path, octets: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
