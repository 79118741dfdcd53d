"""Tests of what twistd sees."""

import sys
from pathlib import Path

import pytest

from mailnode.service.checks import faults_in
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.maker import Options, _explain, makeService
from mailnode.service.private import private_settings
from mailnode.service.source import settings_for
from mailnode.service.trouble import StartFailed


def test_the_one_option_is_the_configuration() -> None:
    """``--config`` and nothing else."""
    options = Options()
    options.parseOptions(["--config", "mailnode.toml"])
    assert options["config"] == "mailnode.toml"


def test_without_a_configuration_it_is_the_private_node() -> None:
    """It listens on the loopback only, keeps nothing out of its domain, and has no faults."""
    settings = settings_for(None)
    assert settings == private_settings()
    assert all("interface=127.0.0.1" in listener.endpoint for listener in settings.listener)
    assert [route.courier for route in settings.route] == ["refuse"]
    assert list(faults_in(settings)) == []


def test_a_faulty_configuration_ends_the_process_with_its_report(tmp_path: Path) -> None:
    """Twistd prints the message and exits with 1."""
    path = tmp_path / "mailnode.toml"
    path.write_text("[node]\nworkers = 0\n")
    with pytest.raises(ConfigurationFaults):
        settings_for(str(path))
    options = Options()
    options.parseOptions(["--config", str(path)])
    with pytest.raises(SystemExit, match=r"node\.workers: there is at least 1"):
        makeService(options)


def test_a_failed_start_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """A reason needs no traceback; a bug does."""
    _explain(StartFailed, StartFailed("the port is taken"), None)
    assert capfd.readouterr().err == "mailnode: the port is taken\n"
    assert sys.__stderr__ is not None
    _explain(ValueError, ValueError("a bug"), None)
    assert "ValueError: a bug" in capfd.readouterr().err
