"""Tests of where brokers are: URLs, files of credentials, TLS, and pauses."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from mailnode.shipped.amqp import __doc__ as amqp_words
from mailnode.shipped.amqp.gateway import PORTS as AMQP
from mailnode.shipped.amqp.gateway import Amqp
from mailnode.shipped.broker import LONGEST_PAUSE, Pause, Place, credentials
from mailnode.shipped.redis import __doc__ as redis_words
from mailnode.shipped.redis.gateway import PORTS as REDIS
from mailnode.shipped.redis.gateway import RedisStreams
from mailnode.testing.api import MemoryNode, now


@pytest.mark.parametrize(
    ("url", "ports", "place"),
    [
        ("amqp://b", AMQP, Place("b", 5672, False, "")),
        ("amqps://b:99/a%2Fb", AMQP, Place("b", 99, True, "a/b")),
        ("redis://[::1]/3", REDIS, Place("::1", 6379, False, "3")),
        ("rediss://b", REDIS, Place("b", 6379, True, "")),
        ("unix:///run/redis.sock", REDIS, Place("", 0, False, "/run/redis.sock")),
    ],
)
def test_a_url_says_where(url: str, ports: dict[str, int], place: Place) -> None:
    """Only the scheme with one s more is TLS; redis ends in s by itself."""
    assert Place.parse(url, ports) == place


@pytest.mark.parametrize("url", ["unix:///x", "http://b", "amqp:b", "amqp://", "amqp://b:x"])
def test_anything_else_is_no_url(url: str) -> None:
    """ValueError for the settings' report."""
    with pytest.raises(ValueError, match=r"expected|Port"):
        Place.parse(url, AMQP)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    """The fault must not carry it into a log."""
    with pytest.raises(ValueError, match="credentials") as fault:
        Place.parse("amqp://user:hush@b", AMQP)
    assert "hush" not in str(fault.value)


def test_credentials_are_the_first_line(tmp_path: Path) -> None:
    """A password may hold colons; what is no pair is told without what it holds."""
    file = tmp_path / "secret"
    node: Any = MemoryNode(config=amqp_example()).gateway("bus").node
    file.write_text("user:pass:word\nmore\n")
    assert now(credentials(node, str(file))) == ("user", "pass:word")
    file.write_text("hush\n")
    with pytest.raises(ValueError, match="first line") as fault:
        now(credentials(node, str(file)))
    assert "hush" not in str(fault.value)


def test_pauses_grow_with_a_spread_and_begin_anew() -> None:
    """Doubled to a minute, never all at the same moment."""
    pause = Pause(Random(1))
    waits = [pause.next() for _ in range(30)]
    assert 0.7 < waits[0] < 1.3
    assert max(waits) <= LONGEST_PAUSE * 1.25
    assert len(set(waits)) == 30
    pause.over()
    assert pause.next() < 1.3


def example(words: str | None, kind: str) -> str:
    """Take the configuration out of a docstring."""
    lines = [line[4:] for line in (words or "").splitlines() if line.startswith("    ")]
    return "\n".join(lines).replace(f'kind = "{kind}"', f'kind = "{KINDS[kind]}"')


KINDS = {
    "amqp": "mailnode.shipped.amqp.gateway:Amqp",
    "redis": "mailnode.shipped.redis.gateway:RedisStreams",
}


def amqp_example() -> str:
    """Give the example of the gateway to RabbitMQ, without what would connect at once."""
    return example(amqp_words, "amqp").replace('consume = "to-mail"', 'consume = ""')


def test_the_examples_are_configurations() -> None:
    """Each is loaded as its docstring has it."""
    assert isinstance(MemoryNode(config=amqp_example()).gateway("bus"), Amqp)
    config = example(redis_words, "redis").replace('consume = "to-mail"', 'consume = ""')
    assert isinstance(MemoryNode(config=config).gateway("stream"), RedisStreams)
