"""Admission keeps the number of sessions within bounds, in all and for each address."""

from mailnode.sessions.admission import Admission, Admitted
from mailnode.sessions.settings import SessionSettings


def test_a_full_house_lets_a_few_wait_and_sends_the_rest_away() -> None:
    """Beyond max_sessions a new one waits while there is room to wait."""
    admission = Admission(SessionSettings(max_sessions=1, max_waiting_sessions=1))
    assert admission.ask("192.0.2.1", trusted=False) is Admitted.YES
    admission.enter("192.0.2.1")
    assert admission.ask("192.0.2.2", trusted=False) is Admitted.LATER
    admission.waiting = 1
    assert admission.ask("192.0.2.2", trusted=False) is Admitted.NO
    admission.leave("192.0.2.1")
    assert admission.ask("192.0.2.2", trusted=False) is Admitted.YES


def test_one_address_cannot_take_the_house() -> None:
    """An address has its own bound, which trusted clients and local sockets do not know."""
    admission = Admission(SessionSettings(max_sessions_per_address=1))
    admission.enter("192.0.2.1")
    assert admission.ask("192.0.2.1", trusted=False) is Admitted.TOO_MANY_FROM_ADDRESS
    assert admission.ask("192.0.2.1", trusted=True) is Admitted.YES
    assert admission.ask("192.0.2.2", trusted=False) is Admitted.YES
    admission.leave("192.0.2.1")
    assert admission.ask("192.0.2.1", trusted=False) is Admitted.YES


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    """A peer has as many addresses as it likes within its network of 64 bits."""
    admission = Admission(SessionSettings(max_sessions_per_address=1))
    admission.enter("2001:db8:1:2::1")
    assert admission.ask("2001:db8:1:2:ffff::2", trusted=False) is Admitted.TOO_MANY_FROM_ADDRESS
    assert admission.ask("2001:db8:1:3::1", trusted=False) is Admitted.YES
    admission.leave("2001:db8:1:2::1")
    assert admission.ask("2001:db8:1:2:ffff::2", trusted=False) is Admitted.YES
