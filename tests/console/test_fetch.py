"""``mailnode fetch``: what it asks, what it shows, and how it ends."""

from typing import Any

import pytest
from click.testing import CliRunner

from mailnode.console import fetch as room
from mailnode.service.asking import NO_SUCH, UNAVAILABLE, CommandFailed, Parts
from mailnode.service.commands import Commands
from tests.kit.results import now


class Exchange:
    """Keeps what is emitted."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    async def emit(self, item: dict[str, Any]) -> None:
        """Keep."""
        self.items.append(item)

    async def read(self) -> bytes:
        """Give nothing."""
        return b""


def parts(fetch: Any) -> Parts:
    """Make parts that have only this."""
    nobody: Any = None
    return Parts(nobody, nobody, nobody, nobody, nobody, nobody, nobody, nobody, nobody, fetch=fetch)


async def _heard(name: str) -> list[tuple[str, bool, str]]:
    heard = [("isp", True, "no mail waits"), ("other", False, "451 4.4.1 refused")]
    return [one for one in heard if name in ("", one[0])]


def test_the_nodes_side() -> None:
    """Each provider is an item, and the end tells how many failed."""
    exchange = Exchange()
    done = now(Commands(parts(_heard)).run({"command": "fetch"}, exchange))
    assert done == {"calls": 2, "failed": 1}
    assert exchange.items[0] == {"name": "isp", "ok": True, "said": "no mail waits"}


@pytest.mark.parametrize(("fetch", "code"), [(None, UNAVAILABLE), (_heard, NO_SUCH)])
def test_nobody_to_call(fetch: Any, code: int) -> None:
    """Without a node or without such a provider it fails with a clear word."""
    with pytest.raises(CommandFailed) as failed:
        now(Commands(parts(fetch)).run({"command": "fetch", "name": "nobody"}, Exchange()))
    assert failed.value.code == code


@pytest.mark.parametrize("failed", [0, 1])
def test_what_is_shown(monkeypatch: pytest.MonkeyPatch, failed: int) -> None:
    """A line for each provider; a failed call makes the command fail for now."""

    def ask(_settings: object, request: dict[str, Any], *, show: Any) -> dict[str, Any]:
        assert request == {"command": "fetch", "name": "isp"}
        show({"name": "isp", "ok": not failed, "said": "no mail waits"})
        return {"calls": 1, "failed": failed}

    monkeypatch.setattr(room, "ask", ask)
    done = CliRunner().invoke(room.fetch, ["isp"])
    assert done.output.startswith("isp: no mail waits\n")
    assert bool(done.exit_code) == bool(failed)
