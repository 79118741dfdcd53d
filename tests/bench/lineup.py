"""Who takes part."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.peers.aiosmtpd import Aiosmtpd
from tests.bench.peers.chasquid import Chasquid
from tests.bench.peers.dovecot import Dovecot
from tests.bench.peers.exim import Exim
from tests.bench.peers.haraka import Haraka
from tests.bench.peers.mailnode import Mailnode, with_workers
from tests.bench.peers.opensmtpd import Opensmtpd
from tests.bench.peers.postfix import Postfix
from tests.bench.server import Server

PEERS: Sequence[type[Server]] = (Postfix, Exim, Opensmtpd, Chasquid, Haraka, Aiosmtpd, Dovecot)
NAMES = (Mailnode.name, *(peer.name for peer in PEERS))


def choose(names: Sequence[str], workers: int, software: Path) -> Iterator[type[Server]]:
    """Give the servers of these names (all, when there are none) that can run here; says which cannot, and why."""
    chosen = names or NAMES
    if Mailnode.name in chosen:
        yield Mailnode
        if workers > 1:
            yield with_workers(workers)
    for peer in PEERS:
        if peer.name in chosen:
            if reason := _absent(peer, software):
                print(f"not here: {peer.name}: {reason}", file=sys.stderr)
            else:
                yield peer


def _absent(peer: type[Server], software: Path) -> str:
    return "only root can start it" if peer.needs_root and os.geteuid() != 0 else peer.absent(software)
