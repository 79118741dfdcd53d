"""Passwords are typed twice on a terminal and read by line elsewhere."""

import getpass
import io
from typing import Any

import pytest

from mailnode.console.password import password_for
from mailnode.console.trouble import Trouble


class Terminal(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> str:
    """Type lines at a terminal."""
    waiting: Any = iter(lines)
    monkeypatch.setattr(getpass, "getpass", lambda _: next(waiting))
    return password_for("ann@example.org", Terminal())


def test_on_a_terminal_it_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same each time; nothing at all is no password."""
    assert typed(monkeypatch, "secret", "secret") == "secret"
    assert not typed(monkeypatch, "")
    with pytest.raises(Trouble, match="two different"):
        typed(monkeypatch, "secret", "sceret")


def test_elsewhere_it_is_a_line() -> None:
    """Blanks are part of it, the line's end is not; after the last line there is none."""
    source = io.StringIO(" a b \r\nc\n")
    assert [password_for("x", source) for _ in range(3)] == [" a b ", "c", ""]
