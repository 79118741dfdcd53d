"""The gateway to Redis against a real redis-server, with redis-cli as the other side."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from mailnode.shipped.redis.gateway import RedisStreams
from mailnode.testing.api import MemoryNode
from tests.kit.redis import Redis

pytestmark = pytest.mark.scenario

ANN, BOB = "ann@home.example", "bob@stream.example"


@pytest.fixture(scope="module", autouse=True)
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Start a server for all tests."""
    WithServer.redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield
    WithServer.redis.kill()


class WithServer(TestCase):
    """Both ways, over a real connection."""

    redis: Redis
    timeout = 60

    def setUp(self) -> None:
        """Take the running reactor and an empty server."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.redis.cli("FLUSHALL")

    def node(self, config: str = "", **settings: Any) -> MemoryNode:
        """Make a node with a gateway to the server."""
        gateway = RedisStreams(url=f"redis://127.0.0.1:{self.redis.port}", **settings)
        node = MemoryNode(gateway, domain="stream.example", reactor=self.reactor, config=config)
        self.addCleanup(lambda: Deferred.fromCoroutine(node.stop()))
        return node

    async def until(self, condition: Callable[[], Any], what: Callable[[], object], seconds: float = 8) -> None:
        """Wait for something while the reactor runs."""
        for _ in range(int(seconds * 50)):
            if condition():
                return
            await deferLater(self.reactor, 0.02)
        raise AssertionError(what())

    async def test_mail_is_added_once_whatever_becomes_of_the_answer(self) -> None:
        """The other side reads it; the same key again adds nothing."""
        node = self.node()
        node.send(ANN, BOB, subject="Hello", text="Grüße")
        await node.settled()
        assert not node.queue(), node.queue()
        (fields,) = self.redis.entries("mail")
        assert json.loads(fields["body"])["text"] == "Grüße"
        assert fields["traceparent"].startswith("00-")
        gateway = node.gateway()
        assert isinstance(gateway, RedisStreams)
        assert gateway.adder is not None
        from mailnode.shipped.redis.entry import Entry

        again = await gateway.adder.add(Entry("mail", fields["message_id"], {"body": "twice"}))
        assert len(self.redis.entries("mail")) == 1
        assert again == self.redis.cli("XRANGE", "mail", "-", "+")[0][0]

    async def test_refusals_are_delays_with_their_words(self) -> None:
        """The name is taken by something else; no memory; credentials that nobody asked for."""
        self.redis.cli("SET", "mail", "x")
        secret = self.redis.folder / "secret"
        await deferToThread(secret.write_text, "eve:wrong\n")
        for settings, words in [({}, "4.3.5"), ({"credentials": str(secret)}, "4.7.8")]:
            node = self.node(**settings)
            node.send(ANN, BOB)
            await node.settled()
            assert words in node.queue()[0].reason, node.queue()
        self.redis.cli("DEL", "mail")
        self.redis.cli("CONFIG", "SET", "maxmemory", "1")
        node = self.node()
        node.send(ANN, BOB)
        await node.settled()
        self.redis.cli("CONFIG", "SET", "maxmemory", "0")
        assert "4.3.1" in node.queue()[0].reason, node.queue()
        await node.advance("1h")
        assert not node.queue()

    async def test_entries_become_mail_and_what_is_none_is_put_aside(self) -> None:
        """JSON, raw, and plain fields; the same key once; what is none stands in its own stream with the reason."""
        raw = "From: r@stream.example\r\nTo: ann@home.example\r\nSubject: raw\r\n\r\nHi\r\n"
        told = json.dumps({"from": BOB, "to": ANN, "subject": "told", "text": "Grüße"})
        add = ("XADD", "in", "*")
        self.redis.cli(*add, "content_type", "message/rfc822", "x-mailnode-to", ANN, "body", raw)
        self.redis.cli(*add, "message_id", "1", "body", told)
        self.redis.cli(*add, "message_id", "1", "body", told)
        self.redis.cli(*add, "from", BOB, "to", ANN, "subject", "plain", "text", "Hello")
        self.redis.cli(*add, "from", BOB, "to", "x@elsewhere.example")
        self.redis.cli(*add, "body", "{")
        node = self.node(consume="in")
        await self.until(lambda: len(node.mailbox(ANN)) == 3, lambda: node.mailboxes.kept)
        await self.until(lambda: len(self.redis.entries("in:dead")) == 2, lambda: self.redis.entries("in:dead"))
        assert sorted(str(one["Subject"]) for one in node.mailbox(ANN)) == ["plain", "raw", "told"]
        assert {one["x-mailnode-reason"] for one in self.redis.entries("in:dead")} >= {
            "the body is no JSON: JSONDecodeError"
        }
        await self.until(lambda: self.redis.pending("in") == 0, lambda: self.redis.pending("in"))

    async def test_what_a_dead_consumer_left_is_taken_over(self) -> None:
        """After the time that it may be idle, and not before."""
        self.redis.cli("XGROUP", "CREATE", "in", "mailnode", "0", "MKSTREAM")
        self.redis.cli("XADD", "in", "*", "from", BOB, "to", ANN, "subject", "left")
        self.redis.cli("XREADGROUP", "GROUP", "mailnode", "other", "COUNT", "1", "STREAMS", "in", ">")
        patient = self.node(consume="in", idle=3600)
        await deferLater(self.reactor, 0.2)
        assert not patient.mailbox(ANN)
        await patient.stop()
        await deferLater(self.reactor, 0.1)
        node = self.node(consume="in", idle=0.1)
        await self.until(lambda: len(node.mailbox(ANN)) == 1, lambda: node.mailboxes.kept)
        await self.until(lambda: self.redis.pending("in") == 0, lambda: self.redis.pending("in"))

    async def test_what_the_node_cannot_take_now_stays_pending(self) -> None:
        """It is taken later, once."""
        for text in ("first", "second"):
            self.redis.cli("XADD", "in", "*", "from", BOB, "to", ANN, "text", text)
        node = self.node(consume="in", config='[gateway.redisstreams.source]\nrate_per_sender = "1/m"')
        await self.until(lambda: len(node.mailbox(ANN)) == 1, lambda: node.mailboxes.kept)
        await self.until(lambda: self.redis.pending("in") == 1, lambda: self.redis.pending("in"))
        for _ in range(8):
            await node.advance(60)
            await deferLater(self.reactor, 0.3)
            if len(node.mailbox(ANN)) == 2:
                break
        assert len(node.mailbox(ANN)) == 2
        await self.until(lambda: self.redis.pending("in") == 0, lambda: self.redis.pending("in"))

    async def test_the_server_is_killed_in_the_middle_and_nothing_is_lost_or_doubled(self) -> None:
        """With traffic both ways: all arrives, each once."""
        count = 60
        node = self.node(consume="in")
        for number in range(count):
            self.redis.cli("XADD", "in", "*", "from", f"r{number}@stream.example", "to", ANN, "subject", f"k{number}")
            node.send(f"s{number}@home.example", f"n{number}@stream.example", subject=f"m{number}")
            await deferLater(self.reactor, 0)
            if number in (20, 40):
                await deferToThread(self.redis.kill)
                node.send(f"t{number}@home.example", f"n{number}@stream.example", subject=f"while {number}")
                await node.settled()
                assert node.queue()
                await deferToThread(self.redis.start)
        for _ in range(60):
            await node.advance("1m")
            await deferLater(self.reactor, 0.02)
            if not node.queue() and len(node.mailbox(ANN)) >= count:
                break
        assert not node.queue(), node.queue()
        assert sorted(str(one["Subject"]) for one in node.mailbox(ANN)) == sorted(f"k{n}" for n in range(count))
        subjects = [json.loads(one["body"])["subject"] for one in self.redis.entries("mail")]
        assert sorted(subjects) == sorted([*(f"m{n}" for n in range(count)), "while 20", "while 40"])
        await self.until(lambda: self.redis.pending("in") == 0, lambda: self.redis.pending("in"))
