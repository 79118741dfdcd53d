"""What ``mailnode account`` asks of a node."""

from types import SimpleNamespace
from typing import Any

import pytest

from mailnode.accounts.memory import MemoryDirectory
from mailnode.service.account_commands import ACCOUNT_COMMANDS
from mailnode.service.asking import CommandFailed
from tests.kit.results import now


class House:
    """Commands on a directory in memory."""

    def __init__(self) -> None:
        self.parts: Any = SimpleNamespace(directory=MemoryDirectory())
        self.items: list[dict[str, Any]] = []

    async def emit(self, item: dict[str, Any]) -> None:
        """Keep the item."""
        self.items.append(item)

    def ask(self, command: str, **request: Any) -> dict[str, Any]:
        """Run a command."""
        exchange: Any = self
        return now(ACCOUNT_COMMANDS[f"account.{command}"](self.parts, request, exchange))  # type: ignore[arg-type]


def test_an_account_is_added_changed_and_listed() -> None:
    """With all that is known of it but its password."""
    house = House()
    house.ask("add", address="ann@example.org", name=" Ann ", password="secret")
    house.ask("change", address="ANN@example.org", disabled=True, relayed_domains=["Bücher.example"])
    assert house.ask("list") == {"accounts": 1}
    assert house.items == [{
        "address": "ann@example.org", "name": "Ann", "password": True, "disabled": True,
        "relayed_domains": ["xn--bcher-kva.example"],
    }]  # fmt: skip
    house.ask("change", address="ann@example.org", disabled=False, password="", relayed_domains=[])
    house.ask("list", domain="example.org")
    assert (house.items[1]["password"], house.items[1]["disabled"]) == (False, False)


@pytest.mark.parametrize(
    ("command", "request_", "code"),
    [
        ("add", {"address": "ann"}, 64),
        ("add", {"address": "ann@example.org", "name": "two\nlines"}, 64),
        ("add", {"address": "ann@example.org", "password": "\x07"}, 65),
        ("add", {"address": "ann@example.org", "relayed_domains": "x"}, 64),
        ("add", {"address": "ann@example.org", "relayed_domains": ["a b"]}, 64),
        ("add", {"address": "bob@example.org"}, 65),
        ("change", {"address": "eve@example.org", "name": "Eve"}, 67),
        ("remove", {"address": "eve@example.org"}, 67),
    ],
)
def test_what_cannot_be_done_is_said(command: str, request_: dict[str, Any], code: int) -> None:
    """With the exit code for it."""
    house = House()
    house.ask("add", address="bob@example.org")
    with pytest.raises(CommandFailed) as raised:
        house.ask(command, **request_)
    assert raised.value.code == code
