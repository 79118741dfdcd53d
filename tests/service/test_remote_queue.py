"""Faults of the settings of ETRN, ATRN and fetching; the door where no mail is taken."""

import pytest

from mailnode.interfaces import Refused
from mailnode.mail.address import NULL
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.roles.customers import CustomerSettings
from mailnode.roles.fetch_settings import FetchSettings
from mailnode.roles.queue_start import EtrnSettings
from mailnode.routing.settings import DomainSettings
from mailnode.service.checks import faults_in
from mailnode.service.remote_queue import NoReception
from mailnode.service.settings import ListenerSettings, NodeSettings, ProcessSettings
from tests.kit.results import now

NODE = ProcessSettings(data="/tmp")
BRANCH = DomainSettings(name="branch.example", courier="odmr", accounts="any")
CALLED = ListenerSettings("odmr", "odmr", "tcp:366")
GOOD = FetchSettings(host="isp.example", username="a", password_file="/etc/secret")


def faults(settings: NodeSettings) -> list[str]:
    """Give the paths of all faults."""
    return [fault.path for fault in faults_in(settings)]


def test_a_good_configuration() -> None:
    """A provider, a customer of another, and open domains."""
    customer = CustomerSettings("branch", ("Branch.example",))
    etrn = EtrnSettings(domains=("late.example",))
    by_etrn = FetchSettings(name="b", host="192.0.2.1", port=25, method="etrn", domains=("@a.example",))
    settings = NodeSettings(NODE, (CALLED,), domain=(BRANCH,), customer=(customer,), etrn=etrn, fetch=(GOOD, by_etrn))
    assert not faults(settings)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (NodeSettings(NODE, customer=(CustomerSettings(),)), "customer[0].account"),
        (NodeSettings(NODE, customer=(CustomerSettings("a", ("b.example",)),)), "customer[0].domains[0]"),
        (NodeSettings(NODE, customer=(CustomerSettings("Ann"), CustomerSettings("ann"))), "customer[1].account"),
        (NodeSettings(NODE, (CALLED,), domain=(BRANCH,)), "domain[0].courier"),
        (NodeSettings(NODE, domain=(BRANCH,), customer=(CustomerSettings("a", (BRANCH.name,)),)), "domain[0].courier"),
        (NodeSettings(NODE, etrn=EtrnSettings(domains=("-",))), "etrn.domains[0]"),
        (NodeSettings(NODE, fetch=(FetchSettings(username="a", password_file="b"),)), "fetch[0].host"),
        (NodeSettings(NODE, fetch=(FetchSettings(host="a.example"),)), "fetch[0].username"),
        (NodeSettings(NODE, fetch=(FetchSettings(host="a.example", method="etrn"),)), "fetch[0].domains"),
        (NodeSettings(NODE, fetch=(FetchSettings(host="a.example", port=0),)), "fetch[0].port"),
        (NodeSettings(NODE, fetch=(FetchSettings(host="a.example", domains=("@b.example",)),)), "fetch[0].domains[0]"),
        (NodeSettings(NODE, fetch=(GOOD, GOOD)), "fetch[1].name"),
    ],
)
def test_faults(settings: NodeSettings, path: str) -> None:
    """Each is said with its path."""
    assert path in faults(settings)


@pytest.mark.rfc("2645", "5.1")
@pytest.mark.parametrize(("account", "code"), [("", 530), ("branch", 502)])
def test_no_mail_is_taken_there(account: str, code: int) -> None:
    """Whoever has not authenticated is told to, and whoever has is told what else there is."""
    peer = Peer("192.0.2.1", account=account)
    with pytest.raises(Refused) as refused:
        now(NoReception().begin(peer, Envelope(NULL), 0))
    assert refused.value.reply.code == code
    assert now(NoReception().verify(peer, "ann")).code == now(NoReception().expand(peer, "all")).code == 502
