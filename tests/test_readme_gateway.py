"""Tests of README's "Your first gateway": it does what it says, in a folder of its own, found in each way there is."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailnode.gateways.settings import GatewaySettings
from mailnode.service.config import load
from mailnode.service.gateways import find_kind, make

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the section's three files as a reader would."""
    section = README.read_text().partition("## Your first gateway\n")[2].partition("\n## ")[0]
    code, test = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (config,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    (tmp_path / "sms.py").write_text(code)
    (tmp_path / "test_sms.py").write_text(test)
    (tmp_path / "mailnode.toml").write_text(f'[node]\ndata = "{tmp_path}"\n{config}')
    return tmp_path


def test_its_test_passes(folder: Path) -> None:
    """As a reader runs it."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_its_configuration_has_no_faults(folder: Path) -> None:
    """Found as a file beside the configuration."""
    settings = load(folder / "mailnode.toml")
    assert type(make(settings.gateway["sms"])).__name__ == "Sms"
    assert settings.gateway["sms"].queue.rate == "10/s"


def test_a_package_makes_it_known_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed elsewhere, with the entry point that the section shows."""
    package = folder / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / "sms.py").rename(package / "sms.py")
    metadata = folder / "site" / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[mailnode.gateways]\nsms-of-mine = my_package.sms:Sms\n")
    monkeypatch.syspath_prepend(str(folder / "site"))
    importlib.invalidate_caches()
    assert find_kind("sms-of-mine") is find_kind("my_package.sms:Sms")
    assert make(GatewaySettings("sms-of-mine", own={"url": "x"})).url == "x"  # type: ignore[attr-defined]
