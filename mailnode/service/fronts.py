"""What a listener finds out of its clients before their sessions begin, by its settings (``mailnode.fronts``)."""

from collections.abc import Callable, Iterable
from ipaddress import ip_network

from mailnode.fronts.arrival import Arrivals, Sessions
from mailnode.fronts.users import UserNames
from mailnode.roles.reception import trust_in
from mailnode.service.settings import ListenerSettings

LOCAL_KINDS = ("unix", "systemd")
"""Endpoints whose clients may be users of this machine."""


def kind_of(endpoint: str) -> str:
    """Tell the kind of an endpoint."""
    return endpoint.partition(":")[0].lower()


def with_mode(listener: ListenerSettings) -> str:
    """Give the listener's endpoint with the mode of its socket file, if it has one and does not say."""
    endpoint = listener.endpoint
    if kind_of(endpoint) != "unix" or ":mode=" in endpoint:
        return endpoint
    return f"{endpoint}:mode={listener.mode}"


def speaks_for_others(listener: ListenerSettings) -> Callable[[str], bool] | None:
    """Make the question who may use XCLIENT; None when nobody may."""
    return _listed(listener.xclient_from) if listener.xclient_from else None


def arrivals_at(listener: ListenerSettings, users: UserNames, begin: Sessions) -> Arrivals | None:
    """Make the arrivals of a listener; None when there is nothing to find out."""
    is_local = kind_of(listener.endpoint) in LOCAL_KINDS
    if not (is_local or listener.proxy_from):
        return None
    return Arrivals(
        name=listener.name,
        clock=users.clock,
        is_front=_listed(listener.proxy_from),
        users=users if is_local else None,
        begin=begin,
    )


def _listed(networks: Iterable[str]) -> Callable[[str], bool]:
    return trust_in(map(ip_network, networks))
