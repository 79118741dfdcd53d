"""Tests of finding the data folder without reading the whole configuration."""

from pathlib import Path

import pytest

from mailnode.service.whereabouts import DATA, PRIVATE_DATA, Unreadable, data_folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder of our own."""
    monkeypatch.chdir(tmp_path)


def test_the_configuration_says_where(tmp_path: Path) -> None:
    """The one named, the environment's, the one that lies here; what else is in it does not matter."""
    (tmp_path / "a.toml").write_text('[node]\ndata = "/a"\nnonsense = 1\n')
    (tmp_path / "mailnode.toml").write_text('[node]\ndata = "/b"\n')
    assert data_folder("a.toml", {}) == Path("/a")
    assert data_folder(None, {"MAILNODE_CONFIG": "a.toml"}) == Path("/a")
    assert data_folder(None, {}) == Path("/b")


def test_a_configuration_need_not_say_it(tmp_path: Path) -> None:
    """Then it is the default; without any configuration it is the private node's."""
    for text in ("", "[node]\n", "node = 1\n", "[node]\ndata = 1\n"):
        (tmp_path / "a.toml").write_text(text)
        assert data_folder("a.toml", {}) == Path(DATA)
    assert data_folder(None, {}) == Path(PRIVATE_DATA)


def test_the_environment_names_the_folder_itself() -> None:
    """For whoever may not read the configuration."""
    assert data_folder(None, {"MAILNODE_DATA": "/d"}) == Path("/d")


def test_what_may_not_be_read_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration may hold secrets, and mail must be sent all the same."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    assert data_folder("secret.toml", {}) == Path(DATA)


def test_what_is_no_configuration_is_said(tmp_path: Path) -> None:
    """One line, with its name."""
    (tmp_path / "bad.toml").write_text("[[[")
    for name in ("bad.toml", "none.toml"):
        with pytest.raises(Unreadable, match=name):
            data_folder(name, {})
