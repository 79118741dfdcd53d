"""The AMQP gateway against a real RabbitMQ, with pika's blocking client as the other side."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from mailnode.shipped.amqp.gateway import Amqp
from mailnode.testing.api import MemoryNode
from tests.kit.rabbit import Rabbit

pytestmark = pytest.mark.scenario

ANN, BOB = "ann@home.example", "bob@bus.example"


@pytest.fixture(scope="module", autouse=True)
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Start a broker for all tests, with its queues."""
    WithBroker.rabbit = Rabbit(tmp_path_factory.mktemp("rabbit"))
    try:
        WithBroker.rabbit.start()
        declare(WithBroker.rabbit)
        yield
    finally:
        WithBroker.rabbit.end()


def declare(rabbit: Rabbit) -> None:
    """Declare what an operator would: an exchange, a queue of what goes out, one of what comes in and where its dead go."""
    connection = rabbit.connection()
    channel = connection.channel()
    channel.exchange_declare("mail", "topic", durable=True)
    channel.queue_declare("out", durable=True)
    channel.queue_bind("out", "mail", "mail.bus.example.*")
    channel.queue_declare("full", durable=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    channel.queue_bind("full", "mail", "full.*")
    channel.exchange_declare("dead", "fanout", durable=True)
    channel.queue_declare("dead", durable=True)
    channel.queue_bind("dead", "dead")
    channel.queue_declare("in", durable=True, arguments={"x-dead-letter-exchange": "dead"})
    connection.close()


class WithBroker(TestCase):
    """Both ways, over a real connection."""

    rabbit: Rabbit
    timeout = 100

    def setUp(self) -> None:
        """Take the running reactor; empty the queues."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.read("out"), self.read("dead"), self.read("in")

    def node(self, secret: str = "", config: str = "", **settings: Any) -> MemoryNode:
        """Make a node with a gateway to the broker."""
        settings = {"exchange": "mail", "routing_key": "mail.{domain}.{local_part}", "credentials": secret} | settings
        gateway = Amqp(url=f"amqp://127.0.0.1:{self.rabbit.port}", **settings)
        node = MemoryNode(gateway, domain="bus.example", reactor=self.reactor, config=config)
        self.addCleanup(lambda: Deferred.fromCoroutine(node.stop()))
        return node

    def secret(self, text: str) -> str:
        """Write a file of credentials."""
        file = self.rabbit.folder / "secret"
        file.write_text(text)
        return str(file)

    def read(self, queue: str) -> list[tuple[Any, bytes]]:
        """Read a queue to its end; gives properties and bodies."""
        connection = self.rabbit.connection()
        channel = connection.channel()
        found = []
        while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
            found.append(got[1:])
        connection.close()
        return found

    def write(self, *messages: tuple[str, bytes, str]) -> None:
        """Put messages into the queue of what comes in: key, body, content type; confirmed and persistent."""
        connection = self.rabbit.connection()
        channel = connection.channel()
        channel.confirm_delivery()
        for key, body, kind in messages:
            headers = {"x-mailnode-from": "robot@bus.example", "x-mailnode-to": [ANN]}
            properties = pika.BasicProperties(message_id=key, content_type=kind, headers=headers, delivery_mode=2)
            channel.basic_publish("", "in", body, properties, mandatory=True)
        connection.close()

    async def until(self, condition: Callable[[], Any], what: Callable[[], object], seconds: float = 20) -> None:
        """Wait for something, while the reactor runs and the node's time passes slowly."""
        for _ in range(int(seconds * 50)):
            if condition():
                return
            await deferLater(self.reactor, 0.02)
        raise AssertionError(what())

    async def test_published_mail_is_persistent_and_named(self) -> None:
        """The other side reads the message with its key and its trace."""
        node = self.node()
        queue_id = node.send(ANN, BOB, subject="Hello", text="Grüße")
        await node.settled()
        assert not node.queue(), node.queue()
        ((properties, body),) = self.read("out")
        assert json.loads(body)["text"] == "Grüße"
        assert (properties.delivery_mode, properties.content_type) == (2, "application/json")
        assert len(properties.message_id) == 32
        assert properties.headers["x-mailnode-queue-id"] == queue_id
        assert properties.headers["traceparent"].startswith("00-")

    async def test_what_no_queue_gets_bounces_and_no_other_mail_with_it(self) -> None:
        """Many at once, some of them unroutable: each has its own outcome."""
        node = self.node(routing_key="mail.bus.example{address}")
        gateway = node.gateway()
        assert isinstance(gateway, Amqp)
        gateway.routing_key = "mail.{domain}.{local_part}"
        for number in range(20):
            node.send(ANN, f"n{number}@bus.example" if number % 3 else f"x.{number}@bus.example")
        await node.settled()
        assert not node.queue(), node.queue()
        assert len(self.read("out")) == 13
        assert len(node.mailbox(ANN)) == 7
        assert all("no queue is bound" in one.as_string() for one in node.mailbox(ANN))

    async def test_refusals_of_the_broker_are_delays_with_its_words(self) -> None:
        """A full queue, no such exchange, wrong credentials, nothing bound yet; too large is final."""
        secret = self.secret("guest:wrong\n")
        for settings, words in [
            ({"routing_key": "full.{local_part}"}, "a queue is full"),
            ({"exchange": "nowhere"}, "no exchange 'nowhere'"),
            ({"secret": secret}, "4.7.8"),
            ({"routing_key": "unbound", "unroutable": "delayed"}, "no queue is bound"),
        ]:
            node = self.node(**settings)
            node.send(ANN, BOB)
            await node.settled()
            if "full" in words:
                node.send(ANN, BOB)
                await node.settled()
            assert words in " ".join(one.reason for one in node.queue()), (words, node.queue())
        node = self.node(form="raw")
        node.send(ANN, BOB, text="x" * 1_100_000)
        await node.settled()
        assert "5.3.4" in node.mailbox(ANN)[0].as_string()
        assert not self.flushLoggedErrors()

    async def test_messages_become_mail_and_what_is_none_is_put_aside(self) -> None:
        """JSON and raw, twice the same once, nonsense to the dead letters, and nothing stays in the queue."""
        node = self.node(consume="in")
        raw = b"From: robot@bus.example\r\nTo: ann@home.example\r\nSubject: raw\r\n\r\nHi\r\n"
        told = json.dumps({"from": BOB, "to": ANN, "subject": "told", "text": "Grüße", "in_reply_to": "<a@b>"}).encode()
        nobody = json.dumps({"from": BOB, "to": ["a@elsewhere.example"]}).encode()
        self.write(
            ("1", raw, "message/rfc822"), ("2", told, ""), ("2", told, "application/json"), ("3", b"{", ""),
            ("4", nobody, ""), ("5", b'{"to": "no address"}', ""),
        )  # fmt: skip
        await self.until(lambda: len(node.mailbox(ANN)) == 2, lambda: node.mailboxes.kept)
        await deferLater(self.reactor, 0.2)
        assert sorted(str(one["Subject"]) for one in node.mailbox(ANN)) == ["raw", "told"]
        assert sorted(one.message_id for one, _ in self.read("dead")) == ["3", "4", "5"]
        await node.stop()
        assert not self.read("in")

    async def test_what_the_node_cannot_take_now_goes_back(self) -> None:
        """It is taken later, once, and the others do not wait for it."""
        node = self.node(consume="in", config='[gateway.amqp.source]\nrate_per_sender = "1/m"')
        one, two = (json.dumps({"from": BOB, "to": ANN, "text": text}).encode() for text in ("first", "second"))
        self.write(("a", one, ""), ("b", two, ""))
        await self.until(lambda: len(node.mailbox(ANN)) == 1, lambda: node.mailboxes.kept)
        for _ in range(20):
            await node.advance(10)
            await deferLater(self.reactor, 0.05)
        assert len(node.mailbox(ANN)) == 2
        await node.stop()
        assert not self.read("in")
        assert not self.read("dead")

    async def test_the_broker_is_killed_in_the_middle_and_nothing_is_lost_or_doubled(self) -> None:
        """With traffic both ways: all arrives, and each key once."""
        node = self.node(consume="in")
        count = 60
        self.write(*((f"k{n}", json.dumps({"from": f"r{n}@bus.example", "to": ANN, "subject": f"k{n}"}).encode(), "")
                     for n in range(count)))  # fmt: skip
        killing = None
        for number in range(count):
            node.send(f"s{number}@home.example", f"n{number}@bus.example", subject=f"m{number}")
            await deferLater(self.reactor, 0)
            if number == 20:
                killing = deferToThread(self.rabbit.kill)
        assert killing is not None
        await killing
        assert node.queue(), "everything was published before the broker died"
        await node.advance("1m")
        await deferToThread(self.rabbit.start)
        for _ in range(60):
            await node.advance("1m")
            await deferLater(self.reactor, 0.02)
            if not node.queue() and len(node.mailbox(ANN)) >= count:
                break
        assert not node.queue(), node.queue()
        assert sorted(str(one["Subject"]) for one in node.mailbox(ANN)) == sorted(f"k{n}" for n in range(count))
        told = self.read("out")
        subjects = {properties.message_id: json.loads(body)["subject"] for properties, body in told}
        assert sorted(subjects.values()) == sorted(f"m{n}" for n in range(count))
        await node.stop()
        assert not self.read("in")
