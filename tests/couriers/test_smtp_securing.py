"""What a level makes of a host without TLS, and for whom a certificate must be."""

import pytest

from mailnode.couriers.smtp_reaching import Reaching
from mailnode.couriers.smtp_securing import LateTls, references, securing
from mailnode.couriers.smtp_security import Security, Unavailable
from mailnode.couriers.smtp_session import SmtpSession
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.routing.exchanges import Hop
from mailnode.routing.terms import Terms, Wish
from tests.kit.nexthops import EHLO, Network, Server
from tests.kit.results import InlineDisk

HOP = Hop("mx.example", 25, ("192.0.2.1",))


def _open(server: Server, level: Wish) -> SmtpSession:
    network, disk, settings = Network({"192.0.2.1:25": server}), InlineDisk(), SmtpCourierSettings()
    made = securing(Terms(level), settings, LateTls("", disk, network), disk)
    reaching = Reaching(network, "me.example", settings, disk, False, lambda _: None, made)
    return network.run(reaching.open(HOP, ("mx.example",)))


@pytest.mark.parametrize("level", ["", "none", "may"])
def test_without_tls_lower_levels_go_on(level: Wish) -> None:
    """A host that offers no TLS gets the mail in clear text, and is asked for none."""
    server = Server()
    session = _open(server, level)
    assert session.is_ready
    assert str(session.security) == ""
    assert server.commands == ["EHLO me.example"]


@pytest.mark.parametrize("level", ["encrypt", "verify"])
def test_without_tls_higher_levels_leave(level: Wish) -> None:
    """The session is left with QUIT before any mail, and the reason is a delay."""
    server = Server()
    with pytest.raises(Unavailable) as raised:
        _open(server, level)
    assert str(raised.value.reply) == "451 4.7.4 TLS is required, and mx.example does not offer it"
    assert raised.value.is_reached
    assert server.commands == ["EHLO me.example", "QUIT"]


@pytest.mark.rfc("3207", "4")
def test_a_host_that_takes_its_offer_back() -> None:
    """454 to STARTTLS: in clear text under may, a delay with its words under encrypt."""
    server = Server({"STAR": "454 4.7.0 not now"}, extensions=EHLO.replace("250-DSN", "250-DSN\n250-STARTTLS"))
    assert _open(server, "may").is_ready
    with pytest.raises(Unavailable, match=r"refuses it: 454 4\.7\.0 not now"):
        _open(server, "encrypt")


@pytest.mark.rfc("9525", "6.1.2")
def test_for_whom_a_certificate_must_be() -> None:
    """For the next hop's own name; for an MX host only if DNSSEC vouches; for the route's names alone where it has some."""
    exchange = Hop("mx.example.net", 25, ("192.0.2.1",))
    vouched = Hop("mx.example.net", 25, ("192.0.2.1",), is_vouched=True)
    named = Hop("relay.example", 25, ("192.0.2.1",), is_vouched=True)
    assert references(exchange, "example.org", Terms()) == ("example.org",)
    assert references(vouched, "example.org", Terms()) == ("mx.example.net", "example.org")
    assert references(named, "[relay.example]:26", Terms()) == ("relay.example",)
    assert references(vouched, "example.org", Terms("verify", ("a.example",))) == ("a.example",)


def test_security_in_words() -> None:
    """What the log and reports say."""
    assert str(Security("TLSv1.3 X", "")) == "TLSv1.3 X verified"
    assert str(Security("TLSv1.3 X", "its certificate has expired")) == "TLSv1.3 X unverified"
    assert str(Security()) == ""
