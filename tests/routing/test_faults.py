"""Faults in the settings of routing."""

from mailnode.mail.quantity import Seconds
from mailnode.routing.faults import faults
from mailnode.routing.settings import DomainSettings, ResolverSettings, RouteSettings


def test_good_settings_have_none() -> None:
    """What the documentation shows passes."""
    domains = [
        DomainSettings("example.org", aliases={"postmaster": ("ops@example.org",), "staff": ("ann", "x@[192.0.2.1]")}),
        DomainSettings("bücher.example", courier="lmtp", next_hop="[127.0.0.1]:24", accounts="any", separator=""),
    ]
    routes = [
        RouteSettings("*.partner.example", "smtp", "[192.0.2.7]:25"),
        RouteSettings("a.example", "webhook", "any thing"),
    ]
    assert faults(domains=domains, routes=routes, resolver=ResolverSettings(servers=("127.0.0.1:53", "::1"))) == []


def test_all_faults_are_told_at_once() -> None:
    """Each with the way to it, none hides another."""
    domains = [
        DomainSettings("example.org", aliases={"a": (), "b": ("no one@", "ok"), "B": ("ok",), "c@d": ("ok",)}),
        DomainSettings("EXAMPLE.org", catch_all="bad @", separator="++", courier="lmtp"),
        DomainSettings("not a domain"),
        DomainSettings("any.example", catch_all="ann", accounts="any"),
    ]
    routes = [RouteSettings("a b", "smtp", "no hop"), RouteSettings("x.example"), RouteSettings("X.example")]
    resolver = ResolverSettings(servers=("dns.example",), timeout=Seconds(0), attempts=0)
    found = faults(domains=domains, routes=routes, resolver=resolver)
    assert [steps for steps, _ in found] == [
        ("domain", 0, "aliases", "a"),
        ("domain", 0, "aliases", "b", 0),
        ("domain", 0, "aliases", "B"),
        ("domain", 0, "aliases", "c@d"),
        ("domain", 1, "name"),
        ("domain", 1, "next_hop"),
        ("domain", 1, "catch_all"),
        ("domain", 1, "separator"),
        ("domain", 2, "name"),
        ("domain", 3, "catch_all"),
        ("route", 0, "match"),
        ("route", 0, "next_hop"),
        ("route", 2, "match"),
        ("resolver", "servers", 0),
        ("resolver", "timeout"),
        ("resolver", "attempts"),
    ]
    assert all(sentence for _, sentence in found)


def test_faults_of_users_who_moved() -> None:
    """No second entry, no alias beside it, no bad address, and nobody moves to where he was."""
    domain = DomainSettings(
        "example.org",
        aliases={"Ann": ("x",)},
        moved={"ann": "a@b.example", "bob": "tell", "BOB": "b b@", "c@d": "x", "dora": "tell Dora@EXAMPLE.org"},
    )
    assert [steps for steps, _ in faults(domains=[domain])] == [
        ("domain", 0, "moved", "ann"),
        ("domain", 0, "moved", "BOB"),
        ("domain", 0, "moved", "BOB"),
        ("domain", 0, "moved", "c@d"),
        ("domain", 0, "moved", "dora"),
    ]


def test_terms_that_say_nothing_together() -> None:
    """Each fault of a route's terms has its place."""
    routes = [
        RouteSettings("a.example", tls="may", tls_names=("x.example",)),
        RouteSettings("b.example", tls="implicit"),
        RouteSettings("c.example", username="c"),
        RouteSettings("d.example", next_hop="[d.example]", tls="none", username="d", password_file="/d"),
        RouteSettings("e.example", "webhook", tls="verify"),
        RouteSettings("f.example", tls_names=("no host",)),
        RouteSettings("g.example", next_hop="[g.example]", username="g", password_file="/g"),
    ]
    found = [steps[1:] for steps, _ in faults(routes=routes)]
    assert found == [
        (0, "tls_names"), (1, "next_hop"), (2, "password_file"), (2, "next_hop"), (3, "tls"), (4, "tls"),
        (5, "tls_names", 0),
    ]  # fmt: skip
