"""Ask a command: of the running node, or where none runs, of a spool opened for the moment.

Both ways give the same: items while they come, then a last word.
"""

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mailnode.console.trouble import CONFIGURATION, DENIED, UNAVAILABLE, Trouble
from mailnode.service.folder import CONTROL
from mailnode.service.settings import NodeSettings
from mailnode.service.trouble import StartFailed

PATIENCE = 300.0
"""Seconds in which the node must say something."""

Item = dict[str, Any]
Show = Callable[[Item], None]


def ask(settings: NodeSettings, request: Item, *, show: Show, content: Iterable[bytes] = ()) -> Item:
    """Ask for one command; ``show`` is called with each item, the last word is returned. Raises Trouble.

    A request with content bears its ``size``, in octets.
    """
    connection = _connected(settings.node.folder / CONTROL)
    if connection is not None:
        with connection:
            return _converse(connection, request, show, content)
    # A running node is the usual case, and asking it needs none of a node's own rooms.
    from mailnode.service.alone import run_alone  # noqa: PLC0415
    from mailnode.service.asking import CommandFailed  # noqa: PLC0415
    from mailnode.service.checks import faults_in  # noqa: PLC0415
    from mailnode.service.faults import ConfigurationFaults  # noqa: PLC0415

    faults = list(faults_in(settings))
    if faults:
        raise Trouble(str(ConfigurationFaults("the configuration", faults)), code=CONFIGURATION)
    try:
        return run_alone(settings, request, show, content)
    except CommandFailed as failed:
        raise Trouble(str(failed), code=failed.code) from None
    except StartFailed as failed:
        raise Trouble(str(failed), code=UNAVAILABLE) from None


def _connected(path: Path) -> socket.socket | None:
    """Connect to the node's control socket; None when no node runs."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except PermissionError:
        connection.close()
        raise Trouble(f"{path}: not permitted for this user", code=DENIED) from None
    except OSError as error:
        connection.close()
        raise Trouble(f"{path}: {error.strerror or error}", code=UNAVAILABLE) from None
    return connection


def _converse(connection: socket.socket, request: Item, show: Show, content: Iterable[bytes]) -> Item:
    for line in _heard(connection, request, content):
        if "done" in line:
            done: Item = line["done"]
            return done
        if "error" in line:
            raise Trouble(line["error"], code=int(line["code"]))
        show(line["item"])  # out here: when nobody reads what we print, that is no fault of the node's
    raise Trouble("the node ended before it had answered", code=UNAVAILABLE)


def _heard(connection: socket.socket, request: Item, content: Iterable[bytes]) -> Iterator[Item]:
    try:
        _tell(connection, request, content)
        with connection.makefile("rb") as answer:
            yield from _answers(answer)
    except OSError as error:
        raise Trouble(f"the node does not answer: {error.strerror or error}", code=UNAVAILABLE) from None


def _tell(connection: socket.socket, request: Item, content: Iterable[bytes]) -> None:
    connection.sendall(json.dumps(request).encode() + b"\n")
    try:
        for block in content:
            connection.sendall(block)
    except (BrokenPipeError, ConnectionResetError):
        return  # it has refused before the end; its answer says why


def _answers(lines: Iterable[bytes]) -> Iterator[Item]:
    for line in lines:
        yield json.loads(line)
