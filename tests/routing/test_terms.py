"""Terms of routes: what they are called, and what they say."""

import pytest

from mailnode.routing.settings import RouteSettings
from mailnode.routing.terms import Terms, base_of, has_terms


def test_a_plain_route_has_the_courier_s_own_name() -> None:
    """Whoever wants nothing special shares lanes with everybody."""
    assert RouteSettings("a.example").carried_by == "smtp"
    assert not has_terms("smtp")
    assert not str(Terms())


def test_a_level_stands_in_the_name() -> None:
    """The name tells the level, and the courier behind it."""
    name = RouteSettings("a.example", tls="verify").carried_by
    assert name == "smtp+verify"
    assert has_terms(name)
    assert base_of(name) == "smtp"


def test_different_terms_never_share_a_name() -> None:
    """Names, users, files and permissions all count; equal terms have equal names."""
    terms = [
        Terms("verify"),
        Terms("encrypt"),
        Terms("verify", ("a.example",)),
        Terms("verify", ("a.example", "b.example")),
        Terms("verify", username="a", password_file="/f"),
        Terms("verify", username="b", password_file="/f"),
        Terms("verify", username="a", password_file="/g"),
        Terms("verify", username="a", password_file="/f", auth_without_tls=True),
    ]
    names = {one.suffix for one in terms}
    assert len(names) == len(terms)
    assert Terms("verify", username="a", password_file="/f").suffix in names


def test_a_password_goes_to_verified_hosts_unless_the_route_says_otherwise() -> None:
    """A username alone means verify."""
    assert RouteSettings("a.example", username="a", password_file="/f").terms.tls == "verify"
    assert RouteSettings("a.example", username="a", password_file="/f", tls="may").terms.tls == "may"


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms("none"), "no TLS"),
        (Terms("verify", ("a.example", "b.example")), "TLS with a verified certificate for a.example or b.example"),
        (Terms("implicit", username="bob"), "TLS from the first octet, with a verified certificate, AUTH as bob"),
        (
            Terms("may", username="bob", auth_without_tls=True),
            "TLS if it is offered, AUTH as bob, in clear text if need be",
        ),
        (Terms("", ("a.example",)), "certificate for a.example"),
    ],
)
def test_terms_in_words(terms: Terms, words: str) -> None:
    """What explain shows; never the file with the password."""
    assert str(terms) == words
