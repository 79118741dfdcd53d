"""The gateway to Redis over TLS: whom it trusts, who it says it is, and that no secret stands in a reason."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from mailnode.shipped.redis.gateway import RedisStreams
from mailnode.testing.api import MemoryNode
from tests.kit.pki import authority
from tests.kit.ports import free_port
from tests.kit.redis import Redis

pytestmark = pytest.mark.scenario


def stopped(node: MemoryNode) -> Deferred[None]:
    """Stop a node."""
    return Deferred.fromCoroutine(node.stop())


class OverTls(TestCase):
    """A server that wants TLS, a certificate and a password."""

    timeout = 60

    async def test_only_a_server_we_trust_gets_the_password(self) -> None:
        """Ours is used; an authority that is not ours, and a wrong password, are delays that do not tell it."""
        from twisted.internet import reactor as running

        reactor: Any = running
        made = TemporaryDirectory()
        self.addCleanup(made.cleanup)
        folder = Path(made.name)
        files = authority().sign("localhost").write(folder, "server")
        own = authority().sign("node.example")
        written = {
            "ca": authority().identity.pem,
            "own": own.pem + own.key_pem,
            "secret": b":hush\n",
            "wrong": b":hash\n",
        }
        for name, octets in written.items():
            await deferToThread((folder / name).write_bytes, octets)
        port, plain = free_port(), Redis(folder)
        plain.options = (
            "--tls-port", str(port), "--tls-cert-file", files[0].name, "--tls-key-file", files[1].name,
            "--tls-ca-cert-file", "ca", "--requirepass", "hush",
        )  # fmt: skip
        self.addCleanup(plain.kill)
        await deferToThread(plain.start)
        right = {"authorities": "ca", "certificate": "own", "credentials": "secret"}
        for changed, words in [({}, ""), ({"authorities": ""}, "4."), ({"certificate": ""}, "4."),
                               ({"credentials": "wrong"}, "4.7.8"), ({"credentials": ""}, "4.7.8")]:  # fmt: skip
            settings: dict[str, Any] = {key: value and str(folder / value) for key, value in (right | changed).items()}
            node = MemoryNode(
                RedisStreams(url=f"rediss://localhost:{port}", **settings), domain="s.example", reactor=reactor
            )
            self.addCleanup(stopped, node)
            node.send("ann@home.example", "bob@s.example")
            await node.settled()
            reasons = [one.reason for one in node.queue()]
            assert len(reasons) == bool(words), (changed, reasons)
            assert all(words in one and "hush" not in one and "hash" not in one for one in reasons), (changed, reasons)
        self.flushWarnings()  # Twisted hands pyOpenSSL what it had better hand cryptography
