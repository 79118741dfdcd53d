"""Tests of how the rooms are put together."""

import socket
from pathlib import Path
from random import Random
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from mailnode.queue.settings import QueueSettings
from mailnode.service.composition import Ground, build, hostname_of, share_of
from mailnode.service.folder import FolderLock
from mailnode.service.settings import NodeSettings, ProcessSettings
from mailnode.service.trouble import StartFailed


@pytest.mark.parametrize(
    ("short", "full", "expected"),
    [
        ("mx.example.org", "unused", "mx.example.org"),
        ("mx", "mx.example.net", "mx.example.net"),
        ("mx", "mx", "localhost"),
        ("mx", None, "localhost"),
    ],
)
def test_the_host_name_is_the_systems_full_one(
    monkeypatch: pytest.MonkeyPatch, short: str, full: str | None, expected: str
) -> None:
    """A name without a domain is of no use in mail; then it is localhost."""

    def look_up(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        if full is None:
            raise socket.gaierror(-2, "Name or service not known")
        return [(2, 1, 6, full, ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "gethostname", lambda: short)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert hostname_of(NodeSettings()) == expected


def test_a_configured_host_name_counts() -> None:
    """Nobody is asked then."""
    assert hostname_of(NodeSettings(node=ProcessSettings(hostname="a.example"))) == "a.example"


def test_a_folder_that_cannot_be_used_is_let_go_again(tmp_path: Path) -> None:
    """A start that fails does not keep the lock."""
    (tmp_path / "mail").write_text("no folder")
    with pytest.raises(StartFailed, match="cannot be used"):
        build(NodeSettings(), Ground(tmp_path, MemoryReactorClock(), Random(1), "mx.example.org"))
    FolderLock(tmp_path).release()


def test_workers_share_what_bounds_the_node() -> None:
    """A next hop sees no more connections from two processes than from one; nobody is left without any."""
    queue = QueueSettings(concurrency=500, lane_maximum=1)
    assert share_of(queue, 1) is queue
    assert (share_of(queue, 2).concurrency, share_of(queue, 2).lane_maximum) == (250, 1)


def test_each_process_signs_with_a_name_of_its_own() -> None:
    """Leases and journals of one are never taken for another's."""
    grounds = [Ground(Path("/data"), None, Random(1), "mx.example.org", worker=number) for number in range(3)]
    assert [ground.owner for ground in grounds] == ["node", "worker-1", "worker-2"]
