"""Tests of what a node stands on: its name, and how its processes sign."""

import socket
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mailnode.service.ground import Ground, hostname_of
from mailnode.service.settings import NodeSettings, ProcessSettings


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


def test_each_process_signs_with_a_name_of_its_own() -> None:
    """Leases and journals of one are never taken for another's."""
    grounds = [Ground(Path("/data"), None, Random(1), "mx.example.org", worker=number) for number in range(3)]
    assert [ground.owner for ground in grounds] == ["node", "worker-1", "worker-2"]
