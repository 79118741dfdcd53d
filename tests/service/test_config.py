"""Tests of reading the configuration: every fault at once, each with its path and what would be right."""

from pathlib import Path

import pytest

from mailnode.service.config import load, parse
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.settings import NodeSettings


def faults(text: str) -> dict[str, str]:
    """Give the faults of a configuration by path."""
    with pytest.raises(ConfigurationFaults) as raised:
        parse(text, source="mailnode.toml")
    return {fault.path: fault.problem for fault in raised.value.faults}


def test_an_empty_configuration_is_all_defaults(tmp_path: Path) -> None:
    """What is not written has its default."""
    settings = parse(f'[node]\ndata = "{tmp_path}"', source="x")
    assert settings.session == NodeSettings().session
    assert settings.listener == ()


def test_quantities_are_read_with_their_units(tmp_path: Path) -> None:
    """Durations and sizes are texts with a unit."""
    settings = parse(
        f'[node]\ndata = "{tmp_path}"\n[session]\ncommand_timeout = "2m"\nmin_data_rate = "1 KiB"', source="x"
    )
    assert float(settings.session.command_timeout) == 120
    assert settings.session.min_data_rate == 1024


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("[node]\nhostnam = 'a'", "node.hostnam", 'did you mean "hostname"?'),
        ("[nod]\n", "nod", 'did you mean "node"?'),
        ("[node]\nhostname = 3", "node.hostname", "expected a text in quotes, not 3"),
        ("[node]\nhostname = 'a..b'", "node.hostname", "expected a domain name"),
        ("[node]\nworkers = true", "node.workers", "expected a whole number, not true"),
        ("[node]\nworkers = '1'", "node.workers", "expected a whole number"),
        ("[node]\nworkers = 65", "node.workers", "gain nothing"),
        ("[node]\nworkers = 0", "node.workers", "at least 1"),
        ("[node]\ntrusted_networks = '::1'", "node.trusted_networks", "expected a list in brackets"),
        ("[node]\ntrusted_networks = ['::1/128', '10.0.0.1/8']", "node.trusted_networks[1]", "expected a network"),
        ("[node]\ntrusted_networks = [1]", "node.trusted_networks[0]", "expected a text in quotes"),
        ("[node]\ndata = ''", "node.data", "expected a folder"),
        ("[node]\ndata = '/etc/passwd'", "node.data", "/etc/passwd is not a folder"),
        ("[[node]]\n", "node", "single brackets"),
        ("node = 1", "node", "expected a table of settings"),
        ("[listener]\n", "listener", "double brackets"),
        ("listener = 1", "listener", "expected a list"),
        ("[[listener]]\n[[listener]]\nname = 'mx'\nendpoint = 'tcp:26'", "listener[1].name", "listener[0]"),
        ("[[listener]]\n[[listener]]\nname = 'b'", "listener[1].endpoint", "listener[0] already listens there"),
        ("[[listener]]\nservice = 'smpt'", "listener[0].service", 'did you mean "smtp"?'),
        ("[[listener]]\nendpoint = 'tpc:25'", "listener[0].endpoint", "expected a Twisted server endpoint"),
        ("[[listener]]\nendpoint = 'tcp'", "listener[0].endpoint", "expected a Twisted server endpoint"),
        ("[[listener]]\nendpoint = 'tcp:smtp-x'", "listener[0].endpoint", "expected a Twisted server endpoint"),
        ("[[listener]]\nendpoint = 'tcp:99999'", "listener[0].endpoint", "there is no port 99999"),
        ("[[listener]]\nendpoint = 'tcp:-1'", "listener[0].endpoint", "there is no port -1"),
        ("[[listener]]\nendpoint = 'tcp6:interface=\\:\\:1:port=65536'", "listener[0].endpoint", "no port 65536"),
        ("[[listener]]\nendpoint = 'haproxy:tcp:25'", "listener[0].endpoint", "every client would seem to be on this"),
        ("[[listener]]\nendpoint = 'HAProxy:tcp:25'", "listener[0].endpoint", "every client would seem to be on this"),
        ("[[listener]]\nendpoint = 'stdio:'", "listener[0].endpoint", "every client would seem to be on this"),
        ("[session]\nstrict_syntax = 1", "session.strict_syntax", "expected true or false, not 1"),
        ("[session]\nstrict_syntax = 'yes'", "session.strict_syntax", "expected true or false"),
        ("[session]\ncommand_timeout = 5", "session.command_timeout", "with its unit, not 5"),
        ("[session]\ncommand_timeout = '5 minutes'", "session.command_timeout", "expected a duration"),
        ("[session]\nmin_data_rate = 'many'", "session.min_data_rate", "expected a size"),
        ("[session]\nbare_newlines = 'repare'", "session.bare_newlines", 'did you mean "repair"?'),
        ("[log]\nlevel = 'warning'", "log.level", 'did you mean "warn"?'),
        ("[queue]\nconcurrency = 0", "queue.concurrency", "expected 1 or more, not 0"),
        ("[queue]\nretry = []\njitter = 2", "queue.jitter", "expected a part between 0 and 1"),
        ("[queue]\nretry = ['5m', '1x', '2h']", "queue.retry[1]", "expected a duration"),
        (
            "[[domain]]\nname='a.example'\n[domain.aliases]\nstaff=['x@b.example', 3]",
            "domain[0].aliases.staff[1]",
            "not 3",
        ),
        ("[[domain]]\nname='a.example'\n[domain.aliases]\nstaff='x'", "domain[0].aliases.staff", "a list in brackets"),
        ("[[domain]]\nname='a.example'\naliases = 3", "domain[0].aliases", "a table of names"),
        ("[[domain]]\nname='a.example'\n[domain.aliases]\ns=['x', '@']", "domain[0].aliases.s[1]", ""),
        ("[[domain]]\nname='a.example'\n[[domain]]\nname='A.example'", "domain[1].name", "domain[0]"),
        ("[[domain]]\nname='a.example'\ncourier='maldir'", "domain[0].courier", 'did you mean "maildir"?'),
        ("[[route]]\ncourier='uucp'", "route[0].courier", "there are lmtp, refuse, smtp"),
        ("[[route]]\nmatch='**'", "route[0].match", ""),
        ("[resolver]\nservers=['127.0.0.1', 'x:y']", "resolver.servers[1]", ""),
        ("[smtp.times]\nconnect='soon'", "smtp.times.connect", "expected a duration"),
        ("[node\n", "line 1, column 6", "this is not TOML"),
        ("[node]\nworkers =\n", "line 2, column 10", "this is not TOML"),
    ],
)
def test_a_fault_has_its_path_and_says_what_would_be_right(text: str, path: str, words: str) -> None:
    """Each kind of fault is reported at its place."""
    found = faults(text)
    assert path in found, found
    assert words in found[path]


def test_all_faults_come_in_one_report() -> None:
    """Faults of form and of meaning, at any depth, stand in the same report, each once."""
    found = faults(
        """
        hostname = "mx.example.org"
        [node]
        workers = 0
        trusted_networks = ["10.0.0.0/8", "nonsense"]
        [[listener]]
        endpoint = "tcp:no-port"
        tls = 7
        [[listener]]
        name = "b"
        endpoint = "nowhere"
        colour = "red"
        [session]
        data_timeout = "3 parsecs"
        """
    )
    assert sorted(found) == [
        "hostname",
        "listener[0].endpoint",
        "listener[0].tls",
        "listener[1].colour",
        "listener[1].endpoint",
        "node.trusted_networks[1]",
        "node.workers",
        "session.data_timeout",
    ]


def test_the_report_names_the_file_and_counts_the_faults() -> None:
    """The report is a heading and a line for each fault."""
    with pytest.raises(ConfigurationFaults, match=r"mailnode\.toml: 1 fault\n  node\.workers: ") as raised:
        parse("[node]\nworkers = 0", source="mailnode.toml")
    assert len(str(raised.value).splitlines()) == 2


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """A missing file, a folder and octets that are no text are reported like all else."""
    for path, octets, words in (
        (tmp_path / "none.toml", None, "No such file"),
        (tmp_path, None, "directory"),
        (tmp_path / "latin.toml", b"a = 1\nb = '\xe4'\n", "line 2: is not UTF-8"),
    ):
        if octets is not None:
            path.write_bytes(octets)
        with pytest.raises(ConfigurationFaults, match=words):
            load(path)
