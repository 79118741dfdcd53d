"""Tests of how gateways are found, checked and given their settings."""

from pathlib import Path

import pytest

from mailnode.gateways.settings import GatewaySettings
from mailnode.service.config import load, parse
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.gateways import BadKind, find_kind, make
from mailnode.shipped.webhook import Webhook

GOOD = """
from attrs import define, field
from mailnode.gateways.api import Gateway, Seconds
from attrs.validators import in_

@define
class Good(Gateway):
    url: str
    every: Seconds = Seconds(10)
    level: int = field(default=1, validator=in_([1, 2]))
    state: dict = field(init=False, factory=dict)
    async def deliver(self, message, recipients): ...

class Plain(Gateway):
    async def deliver(self, message, recipients): ...

@define
class Inward(Gateway):
    def source(self): ...
"""

BAD = """
from typing import ClassVar
from attrs import define
from mailnode.gateways.api import Gateway

class Nothing(Gateway): ...
class Sync(Gateway):
    def deliver(self, message, recipients): ...
class Few(Gateway):
    async def deliver(self, message): ...
class Bare(Gateway):
    url: str
    async def deliver(self, message, recipients): ...
@define
class Reserved(Gateway):
    kind: str = ""
    async def deliver(self, message, recipients): ...
class Needy(Gateway):
    needs = ("no_such_module (mailnode[none])",)
    default_map = ("{a}",)
    async def deliver(self, message, recipients): ...
class Late(Gateway):
    async def source(self): ...
    def start(self): ...
class Other: ...
class Comma(Gateway):
    default_map = ("{a}@x.example <-> {a}")
    async def deliver(self, message, recipients): ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with gateways of one's own."""
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text("import no_such_module")
    return tmp_path


def faults_of(folder: Path, text: str) -> dict[str, str]:
    """Read a configuration and give its faults by their paths."""
    path = folder / "mailnode.toml"
    path.write_text(f'[node]\ndata = "{folder}"\n{text}')
    try:
        load(path)
    except ConfigurationFaults as faults:
        return {fault.path: fault.problem for fault in faults.faults}
    return {}


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("bad.py:Nothing", "neither deliver nor source"),
        ("bad.py:Sync", "deliver must be written with async def"),
        ("bad.py:Few", "must take message and recipients"),
        ("bad.py:Bare", "must be decorated with attrs.define"),
        ("bad.py:Reserved", 'cannot have a setting "kind"'),
        ("bad.py:Needy", "pip install 'mailnode[none]'"),
        ("bad.py:Needy", "default_map"),
        ("bad.py:Late", "source must be a plain function"),
        ("bad.py:Late", "start must be written with async def"),
        ("bad.py:Comma", "default_map must be a tuple of templates"),
        ("bad.py:Other", "is no gateway: derive it from"),
        ("bad.py:Nowhere", "has no Nowhere"),
        ("broken.py:X", "cannot be imported: ModuleNotFoundError"),
        ("missing.py:X", "there is no file"),
        ("no.such.package:X", "cannot be imported"),
        ("good.py", 'expected the class in that file too: "good.py:Class"'),
        ("webhok", 'did you mean "webhook"?'),
    ],
)
def test_a_bad_kind_says_what_is_missing(folder: Path, kind: str, problem: str) -> None:
    """At start and not with the first message, under the path of its kind."""
    assert problem in faults_of(folder, f'[gateway.x]\nkind = "{kind}"')["gateway.x.kind"]


def test_all_faults_of_its_own_settings_are_told_at_once(folder: Path) -> None:
    """With their paths, beside those of the settings that every gateway has."""
    found = faults_of(
        folder,
        """
        [gateway.x]
        kind = "good.py:Good"
        evry = "5s"
        level = 3
        [gateway.x.queue]
        rate = "fast"
        concurrency = 0
        [gateway.x.addresses]
        map = ["{a}"]
        [gateway.x.addresses.aliases]
        "no address" = "x"
        """,
    )
    assert 'did you mean "every"?' in found.pop("gateway.x.evry")
    assert "10/s" in found.pop("gateway.x.queue.rate")
    assert "1 or more" in found.pop("gateway.x.queue.concurrency")
    assert found.pop("gateway.x.url") == "must be given: it has no default"


@pytest.mark.parametrize("kind", ["list", "list[str]", "set[str]", "Sequence[str]", "tuple[str, ...]"])
def test_a_text_is_no_list(folder: Path, kind: str) -> None:
    """However an author writes the type: its letters would be taken for members."""
    (folder / "lists.py").write_text(
        "from collections.abc import Sequence\nfrom attrs import define, field\n"
        "from mailnode.gateways.api import Gateway\n@define\nclass X(Gateway):\n"
        f"    names: {kind} = ()\n    map: dict[str, str] = field(factory=dict)\n    client: object = field(init=False, default=0)\n"
        "    async def deliver(self, message, recipients): ...\n"
    )
    path = str(folder / "lists.py:X")
    found = faults_of(folder, f'[gateway.x]\nkind = "{path}"\nnames = "ab"\nmap = "x"\nclient = 3\ntable = 1')
    assert found["gateway.x.names"] == 'expected a list in brackets, not "ab"'
    assert found["gateway.x.map"] == 'expected a table of names and values, not "x"'
    assert found["gateway.x.client"] == "there is no such setting; there are map, names"
    made = make(GatewaySettings(kind=path, own={"names": ["ab", "c"], "map": {"d": "e"}}))
    assert (sorted(made.names), made.map) == (["ab", "c"], {"d": "e"})  # type: ignore[attr-defined]  # it is an X


def test_faults_of_addresses_have_their_places(folder: Path) -> None:
    """A template and an alias, each by its path."""
    found = faults_of(
        folder,
        '[gateway.x]\nkind = "good.py:Plain"\n[gateway.x.addresses]\nmap = ["{a}"]\naliases = { "no address" = "x" }',
    )
    assert set(found) == {"gateway.x.addresses.map[0]", "gateway.x.addresses.aliases.no address"}


def test_what_one_setting_means_for_another(folder: Path) -> None:
    """A gateway that only brings mail in takes none; names of couriers are taken; unknown ones are known to be."""
    found = faults_of(
        folder,
        """
        [gateway.smtp]
        kind = "good.py:Inward"
        [[domain]]
        name = "x.example"
        courier = "smtp"
        [[domain]]
        name = "y.example"
        courier = "nobody"
        [gateway.plain]
        kind = "good.py:Plain"
        url = "x"
        """,
    )
    assert "belongs to a courier" in found["gateway.smtp"]
    assert "only brings mail in" in found["domain[0].courier"]
    assert "no courier" in found["domain[1].courier"]
    assert "attrs.define is missing" in found["gateway.plain.kind"]


def test_a_file_beside_the_configuration_is_found_from_anywhere(folder: Path) -> None:
    """The kind becomes a whole path, since a daemon works in another folder."""
    (folder / "mailnode.toml").write_text(
        f'[node]\ndata = "{folder}"\n[gateway.x]\nkind = "good.py:Good"\nurl = "u"\nevery = "1m"'
    )
    settings = load(folder / "mailnode.toml")
    gateway = make(settings.gateway["x"])
    assert (type(gateway).__name__, gateway.url, gateway.every) == ("Good", "u", 60)  # type: ignore[attr-defined]
    assert type(gateway) is find_kind(settings.gateway["x"].kind)


def test_kinds_that_are_installed_have_names() -> None:
    """Ours are found as everybody's are."""
    assert find_kind("webhook") is Webhook
    assert find_kind("mailnode.shipped.webhook:Webhook") is Webhook
    with pytest.raises(BadKind, match="expected a kind"):
        find_kind("")


def test_only_what_is_named_is_imported() -> None:
    """Without gateways nothing of theirs is looked at."""
    assert parse("", source="x", thorough=False).gateway == {}
    assert GatewaySettings().own == {}
