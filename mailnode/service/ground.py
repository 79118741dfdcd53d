"""What a node stands on before anything is built: its folder, its reactor, its name, its chance.

All of it comes from outside (the main process, a worker, a command without a node), so that whatever is built on it can be
built on a clock in the hand and a folder of a test as well.
"""

import socket
from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Any

from attrs import frozen

from mailnode.service.settings import NodeSettings


@frozen
class Ground:
    """What a node is built on."""

    folder: Path
    """The data folder, which exists."""
    reactor: Any
    random: Random
    hostname: str
    addresses: Collection[str] = ()
    """Addresses that are known to be ours, not loopback: mail must not be sent to them."""
    worker: int = 0
    """Which of the node's processes this is; 0 is the main one."""

    @property
    def owner(self) -> str:
        """How this process signs its leases: from one life to the next the same, and no two at a time share it."""
        return f"worker-{self.worker}" if self.worker else "node"


def hostname_of(settings: NodeSettings) -> str:
    """Choose the node's name: the configured one, else the system's full name, else localhost."""
    if settings.node.hostname:
        return settings.node.hostname
    name = socket.gethostname()
    if "." in name:
        return name
    try:
        entries = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
    except (OSError, UnicodeError):
        return "localhost"
    full = entries[0][3]
    return full if "." in full else "localhost"
