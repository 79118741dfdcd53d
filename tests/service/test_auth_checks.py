"""Faults in the settings of authentication, each with what would be right."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.authentication.settings import AuthSettings, LdapSettings, OAuthSettings
from mailnode.mail.quantity import Seconds
from mailnode.service.auth_checks import auth_faults
from mailnode.service.authorities import authority_for, credentials_for, offers_auth
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.trouble import StartFailed
from tests.kit.results import InlineDisk

HERE = ListenerSettings("sub", "submission")


def faults(**auth: Any) -> list[str]:
    """Give the faults, each as path and words."""
    settings = NodeSettings(listener=(HERE,), auth=AuthSettings(**auth))
    return [f"{'.'.join(map(str, fault.steps))}: {fault.problem}" for fault in auth_faults(settings)]


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ({"account_failures": 0}, "auth.account_failures: there is at least 1"),
        ({"window": Seconds(0)}, "auth.window: failures"),
        ({"source": "nis"}, "auth.source: expected accounts, ldap, pam"),
        ({"source": "no.such:Thing"}, "auth.source: no.such:Thing cannot be made"),
        ({"source": "ldap"}, "auth.ldap.base: expected the entry"),
        ({"oauth": OAuthSettings(keys_url="http://id.example/keys")}, "auth.oauth.keys_url: expected https"),
        ({"oauth": OAuthSettings(introspection_url="nonsense")}, "auth.oauth.introspection_url: expected https"),
        ({"oauth": OAuthSettings(keys="/no/such/file")}, "auth.oauth.keys: there is no file"),
        ({"oauth": OAuthSettings(algorithms=("HS256",))}, "auth.oauth.algorithms.0: HS256 would let anybody sign"),
        (
            {"oauth": OAuthSettings(keys_url="https://a.example", introspection_url="https://b.example")},
            "auth.oauth: tokens",
        ),
    ],
)
def test_a_fault_is_named(auth: dict[str, Any], words: str) -> None:
    """With its path."""
    assert any(fault.startswith(words) for fault in faults(**auth)), faults(**auth)


def test_good_settings_have_no_faults(tmp_path: Path) -> None:
    """The defaults, and all of the others at once."""
    assert not faults()
    (tmp_path / "secret").write_text("x")
    oauth = OAuthSettings(introspection_url="http://127.0.0.1:80/x", client_secret_file=str(tmp_path / "secret"))
    pytest.importorskip("ldap")
    assert not faults(oauth=oauth, source="ldap", ldap=LdapSettings(base="dc=example"))
    assert not faults(source="pam", oauth=OAuthSettings(keys_url="https://id.example/keys"))


@pytest.mark.parametrize(
    ("service", "auth", "expected"),
    [("submission", "auto", True), ("smtp", "auto", False), ("smtp", "on", True), ("submission", "off", False)],
)
def test_people_authenticate(service: Any, auth: Any, expected: bool) -> None:
    """Where their programs connect, unless the settings say otherwise."""
    assert offers_auth(ListenerSettings("x", service, auth=auth)) == expected


def test_whoever_cannot_be_asked_stops_the_start() -> None:
    """With a sentence, and before anybody comes."""
    nothing: Any = None
    settings = NodeSettings(auth=AuthSettings(source="os:nothing"))
    with pytest.raises(StartFailed, match=r"auth\.source: os:nothing cannot be made"):
        authority_for(settings, nothing, InlineDisk(), nothing, lambda _: False)


@pytest.mark.parametrize("source", ["accounts", "ldap", "pam", "tests.authentication.test_checkers:Ours"])
def test_each_source_is_made(source: str) -> None:
    """By its name."""
    nothing: Any = None
    if source in ("ldap", "pam"):
        pytest.importorskip({"ldap": "ldap", "pam": "pamela"}[source])
    made = credentials_for(AuthSettings(source=source), nothing, InlineDisk(), nothing)
    assert made.has_verifiers == (source == "accounts")
