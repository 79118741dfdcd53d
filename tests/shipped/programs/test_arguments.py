"""Tests of argument templates: values stay values, whatever they are."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.api import Trouble
from mailnode.shipped.programs.arguments import Values, check, filled, is_for_all

VALUES = {
    "address": "a", "recipient": "ann+x@home.example", "local": "ann+x", "domain": "home.example", "user": "ann",
    "extension": "x", "sender": "-oQ/tmp", "queue_id": "Q", "key": "K", "size": "1", "attempt": "1", "mark": "m",
    "traceparent": "t",
}  # fmt: skip


def made(*templates: str, addresses: Sequence[str] = (), **fields: str) -> list[str]:
    """Fill templates."""
    return filled(templates, Values({**VALUES, **fields}, addresses))


def test_fields_are_filled_in() -> None:
    """Within an argument, and all recipients as arguments of their own."""
    assert made("/bin/x", "-d{user}", "{recipient}") == ["/bin/x", "-dann", "ann+x@home.example"]
    assert made("/bin/x", "{recipients}", addresses=["a", "b c"]) == ["/bin/x", "a", "b c"]
    assert is_for_all(("/bin/x", "{recipients}"))


@pytest.mark.parametrize(
    "templates",
    [
        ("/bin/x", "{sender}"),
        ("/bin/x", "{user}"),
        ("/bin/x", "/mail/{local}"),
        ("/bin/x", "{extension}"),
        ("/bin/x", "{recipients}"),
    ],
)
def test_a_value_is_neither_an_option_nor_a_path_nor_a_control(templates: Sequence[str]) -> None:
    """It is refused for good."""
    with pytest.raises(Trouble):
        made(*templates, addresses=["-x"], user="-rf", local="../../etc/passwd", extension="a\nb")


def test_what_the_configuration_has_made_safe_passes() -> None:
    """Behind ``--``, or behind the option's own letter."""
    assert made("/bin/x", "-f{sender}", "--", "{sender}") == ["/bin/x", "-f-oQ/tmp", "--", "-oQ/tmp"]


@pytest.mark.parametrize(
    "templates", [(), ("",), ("{user}",), ("/bin/x", "{nobody}"), ("/bin/x", "{user}", "{recipients}")]
)
def test_bad_templates_are_faults(templates: Sequence[str]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError, match=r"expected|runs once"):
        check(templates)


@given(st.text())
def test_no_value_becomes_more_than_one_argument(value: str) -> None:
    """Either it is refused or it stands there as it is."""
    try:
        assert made("/bin/x", "{user}", "end", user=value) == ["/bin/x", value, "end"]
    except Trouble:
        assert value.startswith("-") or any(char < " " or char == "\x7f" for char in value)
