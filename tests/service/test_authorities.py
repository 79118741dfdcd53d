"""Authentication is put together late, and all of it works together."""

from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.task import Clock

from mailnode.accounts.sqlite import SqliteDirectory
from mailnode.authentication.settings import AuthSettings, OAuthSettings
from mailnode.interfaces import Authenticated
from mailnode.mail.account import AccountChange
from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.service.authorities import LateAuthority, authority_for
from mailnode.service.settings import NodeSettings
from tests.kit.results import InlineDisk, now

PEER = Peer("192.0.2.1", tls="TLSv1.3", channel_bindings=(("tls-exporter", b"E" * 32),))


def test_accounts_of_our_own_log_in(tmp_path: Path) -> None:
    """From the settings to the file, with everything between."""
    directory = SqliteDirectory(tmp_path / "accounts.db", InlineDisk())
    now(directory.add(Mailbox("ann", "example.org"), AccountChange(password="secret")))
    made = authority_for(NodeSettings(), directory, InlineDisk(), Clock(), lambda _: False)
    assert isinstance(made, LateAuthority)
    assert made._made is None
    assert made.mechanisms(PEER) == ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN")
    response = b"\0ann@example.org\0secret"
    assert now(made.begin(PEER, "PLAIN").step(response)) == Authenticated("ann@example.org")
    directory.close()


def test_tokens_are_offered_where_somebody_is_believed(tmp_path: Path) -> None:
    """By introspection or by keys; what reads them is made with the first one."""
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    clock: Any = Clock()
    nothing: Any = None
    for oauth in (
        OAuthSettings(introspection_url="https://id.example/", client_secret_file=str(secret)),
        OAuthSettings(keys="/keys"),
    ):
        settings = NodeSettings(auth=evolve(AuthSettings(), oauth=oauth))
        made = authority_for(settings, nothing, InlineDisk(), clock, lambda _: False)
        assert "OAUTHBEARER" in made.mechanisms(PEER)
        made.begin(PEER, "XOAUTH2")
