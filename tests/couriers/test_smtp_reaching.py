"""A host is reached at whichever address answers, and what goes wrong is told in plain words."""

import pytest
from twisted.internet.error import NoRouteError, TimeoutError  # noqa: A004 - Twisted's own

from mailnode.couriers.smtp_reaching import Reaching
from mailnode.couriers.smtp_securing import LateTls, securing
from mailnode.couriers.smtp_security import Unavailable
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.mail.reply import Reply, Status
from mailnode.routing.exchanges import Hop
from mailnode.routing.terms import Terms
from tests.kit.nexthops import Network, Server
from tests.kit.peers import Trouble
from tests.kit.results import InlineDisk

_BOTH = Hop("mx.example", 25, ("2001:db8::1", "192.0.2.1"))


def _reaching(network: Network, watched: list[SmtpSession]) -> Reaching:
    settings, disk = SmtpCourierSettings(), InlineDisk()
    return Reaching(
        network, "me.example", settings, disk, is_lmtp=False, watch=watched.append,
        securing=securing(Terms(), settings, LateTls("", disk, network), disk),
    )  # fmt: skip


def _open(network: Network, hop: Hop, seconds: float = 0) -> SmtpSession:
    return network.run(_reaching(network, []).open(hop), seconds)


@pytest.mark.rfc("8305", "5")
def test_a_silent_address_costs_a_quarter_of_a_second() -> None:
    """When IPv6 leads nowhere, IPv4 is tried beside it and wins."""
    network = Network({"192.0.2.1:25": Server()})
    network.silent.add("2001:db8::1")
    session = _open(network, _BOTH, 0.25)
    assert session.is_ready
    assert session.host == "mx.example"
    assert network.attempts == ["2001:db8::1", "192.0.2.1"]


def test_a_refusing_address_costs_nothing() -> None:
    """When IPv6 refuses, IPv4 follows at once."""
    assert _open(Network({"192.0.2.1:25": Server()}), _BOTH).is_ready


def test_the_first_that_answers_is_enough() -> None:
    """When IPv6 answers, IPv4 is not asked."""
    network = Network({"2001:db8::1:25": Server()})
    assert _open(network, _BOTH).is_ready
    assert network.attempts == ["2001:db8::1"]


def test_every_connection_is_watched() -> None:
    """Whoever owns the connections knows of each one as it is made."""
    watched: list[SmtpSession] = []
    network = Network({"192.0.2.1:25": Server()})
    session = network.run(_reaching(network, watched).open(_BOTH))
    assert watched == [session]


@pytest.mark.parametrize(
    ("script", "reply", "is_ours", "is_reached"),
    [
        (None, Reply.of(451, "4.4.1", "mx.example refused the connection"), True, False),
        ({"CONNECT": "554 5.7.1 no"}, Reply(554, ("no",), Status(5, 7, 1)), False, True),
        ({"EHLO": "451 later"}, Reply(451, ("later",)), False, True),
        (
            {"CONNECT": Trouble.DROP},
            Reply.of(451, "4.4.2", "mx.example closed the connection while we waited for its greeting"),
            True,
            True,
        ),
    ],
)
def test_what_went_wrong_is_told(
    script: dict[str, str | Trouble] | None, reply: Reply, is_ours: bool, is_reached: bool
) -> None:
    """The host's words where it had some, else ours."""
    servers = {} if script is None else {"192.0.2.1:25": Server(dict(script))}
    with pytest.raises(Unavailable) as raised:
        _open(Network(servers), _BOTH)
    unavailable = raised.value
    assert (unavailable.reply, unavailable.is_ours, unavailable.is_reached) == (reply, is_ours, is_reached)


@pytest.mark.parametrize(
    ("error", "text"), [(TimeoutError(), "did not answer in time"), (NoRouteError(), "cannot be reached")]
)
def test_a_connection_that_fails_otherwise(error: Exception, text: str) -> None:
    """A connection that comes about too late, or not at all, is told as such."""
    network = Network({})
    network.error = error
    with pytest.raises(Unavailable, match=text):
        _open(network, _BOTH)
