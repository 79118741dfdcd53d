"""Tests of etc/mailnode.toml: it holds every setting with its default, and nothing else."""

import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from mailnode.certificates.settings import CertificateSettings
from mailnode.gateways.settings import GatewaySettings
from mailnode.roles.customers import CustomerSettings
from mailnode.roles.fetch_settings import FetchSettings
from mailnode.routing.settings import DomainSettings, RouteSettings
from mailnode.service.config import parse
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.structuring import converter

FILE = Path(__file__).parents[2] / "etc" / "mailnode.toml"

COMPLETE = NodeSettings(
    listener=(ListenerSettings(),),
    certificate=(CertificateSettings(),),
    domain=(DomainSettings(),),
    route=(RouteSettings(),),
    customer=(CustomerSettings(),),
    fetch=(FetchSettings(),),
    gateway={"NAME": GatewaySettings()},
)
"""All defaults, with one of everything that there may be many of."""


def complete() -> dict[str, Any]:
    """Read the file with its commented settings; those bear a # without a blank behind it."""
    return tomllib.loads(re.sub(r"^#(?=[\w\[])", "", FILE.read_text(), flags=re.MULTILINE))


def keys_of(settings: Any, path: str = "") -> Iterator[str]:
    """Give the paths of all settings, headings included."""
    for field in attrs.fields(type(settings)):
        value = getattr(settings, field.name)
        step = f"{path}{field.name}"
        yield step
        if isinstance(value, tuple) and value and attrs.has(type(value[0])):
            value = value[0]
        if attrs.has(type(value)):
            yield from keys_of(value, f"{step}.")
        for name, one in value.items() if step == "gateway" else ():
            yield f"{step}.{name}"
            yield from (key for key in keys_of(one, f"{step}.{name}.") if not key.endswith(".own"))


def keys_in(table: dict[str, Any], path: str = "") -> Iterator[str]:
    """Give the paths of all keys of the file."""
    for key, value in table.items():
        yield f"{path}{key}"
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value
        if isinstance(inner, dict):
            yield from keys_in(inner, f"{path}{key}.")


def test_every_setting_stands_in_it_and_nothing_else() -> None:
    """The file's keys are the settings' fields."""
    assert set(keys_in(complete())) == set(keys_of(COMPLETE))


def test_every_setting_has_its_default() -> None:
    """Read back, the file is the defaults."""
    assert converter().structure(complete(), NodeSettings) == COMPLETE


def test_every_setting_has_a_sentence() -> None:
    """Above each key stands a comment that ends like a sentence."""
    lines = FILE.read_text().splitlines()
    for above, line in pairwise(lines):
        if re.match(r"#?\w+ = ", line) or re.match(r"#?\[", line):
            assert above.startswith("# "), line
            assert above.endswith((".", "]")), above


def test_the_file_as_it_is_has_no_faults(tmp_path: Path) -> None:
    """It can be started with."""
    text = FILE.read_text().replace('"/var/lib/mailnode"', f'"{tmp_path}"')
    assert parse(text, source=str(FILE)).listener == (ListenerSettings(),)


@pytest.mark.parametrize("option", ["NoNewPrivileges=yes", "ProtectSystem=strict", "User=mailnode"])
def test_the_unit_is_hardened(option: str) -> None:
    """The systemd unit gives the node no more than it needs."""
    assert option in (FILE.parent / "mailnode.service").read_text().splitlines()
