"""Fronts by the settings of a listener."""

import pytest
from twisted.internet.task import Clock

from mailnode.fronts.users import UserNames
from mailnode.service.checks import faults_in
from mailnode.service.fronts import arrivals_at, speaks_for_others, with_mode
from mailnode.service.settings import ListenerSettings, NodeSettings, ProcessSettings
from tests.kit.results import InlineDisk

USERS = UserNames(InlineDisk(), Clock())


@pytest.mark.parametrize(
    ("endpoint", "mode", "expected"),
    [
        ("unix:/run/lmtp", "660", "unix:/run/lmtp:mode=660"),
        ("unix:/run/lmtp", "666", "unix:/run/lmtp:mode=666"),
        ("unix:/run/lmtp:mode=600", "660", "unix:/run/lmtp:mode=600"),
        ("tcp:25", "660", "tcp:25"),
    ],
)
def test_the_mode_of_a_socket_file(endpoint: str, mode: str, expected: str) -> None:
    """A unix socket is opened with the mode of its setting, unless the endpoint itself has one."""
    assert with_mode(ListenerSettings(endpoint=endpoint, mode=mode)) == expected


def test_a_listener_without_fronts_has_no_arrivals() -> None:
    """Only PROXY headers and unix sockets need something to be found out first."""

    def begin(*_: object, **__: object) -> None:
        """Receive nobody."""

    def has_arrivals(listener: ListenerSettings) -> bool:
        return arrivals_at(listener, USERS, begin) is not None

    assert not has_arrivals(ListenerSettings())
    assert not has_arrivals(ListenerSettings(xclient_from=("192.0.2.0/24",)))
    assert has_arrivals(ListenerSettings(proxy_from=("192.0.2.0/24",)))
    assert has_arrivals(ListenerSettings(endpoint="unix:/run/lmtp"))
    assert has_arrivals(ListenerSettings(endpoint="systemd:domain=UNIX:index=0"))


def test_who_may_speak_for_others() -> None:
    """Those in the networks; without any, the command is not known."""
    assert speaks_for_others(ListenerSettings()) is None
    may = speaks_for_others(ListenerSettings(xclient_from=("192.0.2.0/24", "2001:db8::/32")))
    assert may is not None
    assert may("192.0.2.7")
    assert may("2001:db8::7")
    assert not may("203.0.113.9")
    assert not may("")


@pytest.mark.parametrize(
    ("listener", "path"),
    [
        (ListenerSettings(proxy_from=("192.0.2.1/24",)), "listener[0].proxy_from[0]"),
        (ListenerSettings(xclient_from=("front.example",)), "listener[0].xclient_from[0]"),
        (ListenerSettings(endpoint="unix:/run/x", proxy_from=("192.0.2.0/24",)), "listener[0].proxy_from"),
        (ListenerSettings(allow_users=("ann",)), "listener[0].allow_users"),
        (ListenerSettings(mode="rw"), "listener[0].mode"),
        (ListenerSettings(mode="888"), "listener[0].mode"),
    ],
)
def test_faults(listener: ListenerSettings, path: str) -> None:
    """What makes no sense is said with its path."""
    settings = NodeSettings(node=ProcessSettings(data="/tmp"), listener=(listener,))
    assert path in [fault.path for fault in faults_in(settings)]
