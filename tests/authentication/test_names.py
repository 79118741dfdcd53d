"""Which account a name means."""

import pytest

from mailnode.authentication.names import account_named


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann@EXAMPLE.org", "ann@example.org"),
        ("ann", "ann@home.example"),
        ("\uff41nn@example.org", "ann@example.org"),
        ("zoe\u0308@bücher.example", "zoë@xn--bcher-kva.example"),
        ("", None),
        ("@", None),
        ("ann@", None),
        ("a b@", None),
        ("ann\0@example.org", None),
        ("x" * 5000, None),
    ],
)
def test_a_name_means_one_account(name: str, expected: str | None) -> None:
    """Every spelling the same one; what is no address means none."""
    found = account_named(name, "home.example")
    assert (None if found is None else str(found)) == expected


def test_without_a_domain_of_the_settings_a_bare_name_means_nobody() -> None:
    """Only full addresses are names then."""
    assert account_named("ann") is None
