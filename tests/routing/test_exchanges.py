"""Which hosts are tried for a next hop, and in which order."""

from random import Random

import pytest

from mailnode.routing.exchanges import MAX_ADDRESSES, MAX_EXCHANGES, Hop, NoHops, hosts_for
from mailnode.routing.names import CnameLoop
from tests.kit.dns import FakeResolver
from tests.kit.results import now


def hops(next_hop: str, zone: FakeResolver, **options: object) -> list[Hop]:
    """Ask for the hops with a fixed seed."""
    return list(now(hosts_for(next_hop, zone, random=Random(1), **options)))  # type: ignore[arg-type]


def refusal(next_hop: str, zone: FakeResolver, **options: object) -> str:
    """Give code and status of the reply that says why there are no hops."""
    with pytest.raises(NoHops) as caught:
        hops(next_hop, zone, **options)
    assert caught.value.is_transient == (caught.value.reply.code < 500)
    return f"{caught.value.reply.code} {caught.value.reply.status}"


@pytest.mark.rfc("5321", "5.1")
def test_exchanges_come_by_preference() -> None:
    """The lowest preference is tried first."""
    zone = FakeResolver(
        mx={"example.org": ((20, "b.example.org"), (10, "A.example.org."))},
        hosts={"a.example.org": ("192.0.2.1",), "b.example.org": ("2001:db8::2", "192.0.2.2")},
    )
    assert hops("example.org", zone) == [
        Hop("a.example.org", 25, ("192.0.2.1",)),
        Hop("b.example.org", 25, ("2001:db8::2", "192.0.2.2")),
    ]


@pytest.mark.rfc("5321", "5.1")
def test_equal_preferences_are_shuffled() -> None:
    """Exchanges of equal preference all come first at some time."""
    names = [f"m{number}.example.org" for number in range(4)]
    zone = FakeResolver(
        mx={"example.org": tuple((10, name) for name in names)}, hosts=dict.fromkeys(names, ("192.0.2.1",))
    )
    random = Random(7)
    firsts = {now(hosts_for("example.org", zone, random=random))[0].host for _ in range(60)}
    assert firsts == set(names)


@pytest.mark.rfc("5321", "5.1")
def test_a_domain_without_mx_is_its_own_exchange() -> None:
    """Without MX the address records of the domain count."""
    zone = FakeResolver(hosts={"example.org": ("192.0.2.9",)})
    assert hops("example.org", zone) == [Hop("example.org", 25, ("192.0.2.9",), is_vouched=True)]


@pytest.mark.rfc("7505", "3")
def test_null_mx_is_a_permanent_no() -> None:
    """A single MX of the root says that there is no mail."""
    assert refusal("example.org", FakeResolver(mx={"example.org": ((0, "."),)})) == "556 5.1.10"


@pytest.mark.rfc("7505", "3")
def test_null_mx_beside_others_means_nothing() -> None:
    """The root beside real exchanges is ignored."""
    zone = FakeResolver(mx={"example.org": ((0, "."), (10, "a.example.org"))}, hosts={"a.example.org": ("192.0.2.1",)})
    assert [hop.host for hop in hops("example.org", zone)] == ["a.example.org"]


def test_what_is_missing_has_its_own_status() -> None:
    """No domain, no address, no answer and an endless alias are told apart."""
    zone = FakeResolver(
        mx={"lonely.example": ((10, "gone.example"),), "literal.example": ((10, "192.0.2.1"),)},
        hosts={"bare.example": ()},
        later={"slow.example"},
        raises={"loop.example": CnameLoop("loop.example")},
    )
    assert refusal("nowhere.example", zone) == "550 5.1.2"
    assert refusal("bare.example", zone) == "550 5.4.4"
    assert refusal("lonely.example", zone) == "550 5.4.4"
    assert refusal("literal.example", zone) == "550 5.4.4"
    assert refusal("slow.example", zone) == "451 4.4.3"
    assert refusal("loop.example", zone) == "550 5.4.4"
    assert refusal("no next hop", zone) == "550 5.1.2"


def test_an_exchange_without_address_is_skipped() -> None:
    """One exchange that cannot be looked up does not hide the others; alone it makes the whole temporary."""
    zone = FakeResolver(
        mx={"example.org": ((5, "slow.example"), (7, "gone.example"), (9, "a.example.org")), "b.example": ((5, "slow.example"), (6, "gone.example"))},
        hosts={"a.example.org": ("192.0.2.1",)},
        later={"slow.example"},
    )  # fmt: skip
    assert [hop.host for hop in hops("example.org", zone)] == ["a.example.org"]
    assert refusal("b.example", zone) == "451 4.4.3"


@pytest.mark.rfc("5321", "5.1")
def test_this_host_and_all_not_better_are_removed() -> None:
    """Mail only moves to better exchanges than ourselves, found by name or by address."""
    zone = FakeResolver(
        mx={"example.org": ((5, "a.example.org"), (10, "me.example.org"), (10, "b.example.org"), (20, "c.example.org"))},
        hosts={name: (f"192.0.2.{last}",) for last, name in enumerate(("a.example.org", "b.example.org", "c.example.org", "me.example.org"), 1)},
    )  # fmt: skip
    assert [hop.host for hop in hops("example.org", zone, own_names={"ME.example.org"})] == ["a.example.org"]
    assert [hop.host for hop in hops("example.org", zone, own_addresses={"192.0.2.4"})] == ["a.example.org"]


@pytest.mark.rfc("5321", "5.1")
def test_nothing_better_than_this_host_is_a_loop() -> None:
    """Being the best exchange for a domain that is not ours is a loop: by name, by address, by implicit MX."""
    zone = FakeResolver(mx={"example.org": ((5, "me.example.org"),)}, hosts={"me.example.org": ("192.0.2.4",)})
    assert refusal("example.org", zone, own_names={"me.example.org"}) == "554 5.4.6"
    assert refusal("example.org", zone, own_addresses={"192.0.2.4"}) == "554 5.4.6"
    assert refusal("me.example.org", zone, own_addresses={"192.0.2.4"}) == "554 5.4.6"
    assert refusal("[192.0.2.4]", zone, own_addresses={"192.0.2.4"}) == "554 5.4.6"


def test_on_another_port_this_address_is_another_server() -> None:
    """Only the port that mail comes in by makes an address our own."""
    zone = FakeResolver(hosts={"me.example.org": ("127.0.0.1",)})
    assert hops("[127.0.0.1]:2525", zone, own_addresses={"127.0.0.1"}) == [
        Hop("127.0.0.1", 2525, ("127.0.0.1",), is_vouched=True)
    ]
    assert refusal("[127.0.0.1]", zone, own_addresses={"127.0.0.1"}, default_port=2525) == "554 5.4.6"


def test_each_form_of_a_next_hop() -> None:
    """Brackets mean no MX; a port counts for whatever stands before it."""
    zone = FakeResolver(
        mx={"example.org": ((5, "a.example.org"),)},
        hosts={"a.example.org": ("192.0.2.1",), "example.org": ("192.0.2.9",)},
    )
    assert hops("[example.org]:26", zone) == [Hop("example.org", 26, ("192.0.2.9",), is_vouched=True)]
    assert hops("example.org:26", zone) == [Hop("a.example.org", 26, ("192.0.2.1",))]
    assert hops("[IPv6:2001:db8::1]:26", zone) == [Hop("2001:db8::1", 26, ("2001:db8::1",), is_vouched=True)]
    assert hops("[192.0.2.7]", zone, default_port=2525) == [Hop("192.0.2.7", 2525, ("192.0.2.7",), is_vouched=True)]


def test_endless_lists_are_cut() -> None:
    """Neither a thousand exchanges nor a thousand addresses are all tried."""
    many = {f"m{number}.example": tuple(f"192.0.2.{last}" for last in range(200)) for number in range(200)}
    zone = FakeResolver(mx={"example.org": tuple((1, name) for name in many)}, hosts=many)
    found = hops("example.org", zone)
    assert len(found) == MAX_EXCHANGES
    assert {len(hop.addresses) for hop in found} == {MAX_ADDRESSES}
