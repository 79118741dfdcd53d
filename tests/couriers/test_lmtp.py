"""The LMTP courier has an outcome for each recipient, and no MX between it and the mailbox server."""

from random import Random

import pytest

from mailnode.couriers.lmtp import LmtpCourier, bracketed
from mailnode.couriers.smtp_settings import LmtpCourierSettings
from mailnode.mail.envelope import Recipient
from mailnode.mail.outcome import Delayed, Delivered, Outcome
from mailnode.mail.reply import Reply, Status
from mailnode.smtp.sending import stuffed
from tests.kit.carrying import CONTENT, request, told
from tests.kit.nexthops import Network, Server
from tests.kit.results import InlineDisk


def _carry(network: Network, next_hop: str, to: int = 1) -> dict[Recipient, Outcome]:
    courier = LmtpCourier(
        reactor=network, resolver=None, hostname="me.example", disk=InlineDisk(), random=Random(1),  # type: ignore[arg-type]
        settings=LmtpCourierSettings(),
    )  # fmt: skip
    return dict(network.run(courier.carry(request(to=to, next_hop=next_hop))))


@pytest.mark.rfc("2033", "4.2")
def test_every_recipient_has_its_own_outcome() -> None:
    """After the dot comes a reply for each accepted recipient; success is delivery."""
    replies = iter(["250 2.1.5 stored", "452 4.2.2 full"])
    refused = iter(["250 ok", "550 no", "250 ok"])
    server = Server({".": lambda _: next(replies), "RCPT": lambda _: next(refused)})
    outcomes = _carry(Network({"127.0.0.1:24": server}), "127.0.0.1", to=3)
    assert told(outcomes) == ["Delivered 250", "Failed 550", "Delayed 452"]
    first = next(iter(outcomes.values()))
    assert first == Delivered(Reply(250, ("stored",), Status(2, 1, 5)), "127.0.0.1", passes_dsn=True)
    assert server.commands[0] == "LHLO me.example"


@pytest.mark.parametrize("next_hop", ["127.0.0.1:2400", "[127.0.0.1]:2400"])
def test_a_port_may_be_named(next_hop: str) -> None:
    """An address with a port is gone to directly."""
    server = Server()
    assert told(_carry(Network({"127.0.0.1:2400": server}), next_hop)) == ["Delivered 250"]


def test_a_socket_in_the_file_system() -> None:
    """``unix:`` leads to a socket."""
    server = Server()
    assert told(_carry(Network({"/run/lmtp": server}), "unix:/run/lmtp")) == ["Delivered 250"]
    assert server.messages == [stuffed(CONTENT)]


def test_no_socket_is_an_unreachable_host() -> None:
    """Where nobody listens the mailboxes are unreachable."""
    (outcome,) = _carry(Network({}), "unix:/run/lmtp").values()
    assert isinstance(outcome, Delayed)
    assert outcome.host_unreachable


@pytest.mark.parametrize(
    ("next_hop", "expected"),
    [("box.example", "[box.example]"), ("box.example:24", "[box.example]:24"), ("[::1]:24", "[::1]:24")],
)
def test_a_host_is_never_looked_up_as_a_domain(next_hop: str, expected: str) -> None:
    """Brackets keep MX records out of it."""
    assert bracketed(next_hop) == expected
