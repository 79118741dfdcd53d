"""Choosing by name: exact before wildcard, and never nothing."""

import pytest

from mailnode.certificates.choice import Choice

CHOICE = Choice([("first", ["mx.example.org"]), ("wild", ["*.example.net"]), ("own", ["a.example.net", "b.example"])])


@pytest.mark.rfc("6125", "6.4.3")
@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("mx.example.org", "first"),
        ("MX.Example.ORG.", "first"),
        ("c.example.net", "wild"),
        ("a.example.net", "own"),
        ("c.d.example.net", "first"),
        ("example.net", "first"),
        ("b.example", "own"),
        ("unknown.example", "first"),
        ("", "first"),
        ("*.example.net", "wild"),
    ],
)
def test_the_best_match_is_chosen(name: str, chosen: str) -> None:
    """A wildcard stands for one label; without a match the first is taken."""
    assert CHOICE.of(name) == chosen


def test_the_earlier_of_two_with_one_name_is_meant() -> None:
    """The order of the configuration decides."""
    assert Choice([("one", ["x.example"]), ("two", ["x.example", "y.example"])]).of("x.example") == "one"
