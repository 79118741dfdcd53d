"""Tests of the settings that every gateway has."""

import pytest

from mailnode.gateways.settings import GatewayQueueSettings, parse_rate


@pytest.mark.parametrize(("text", "per_second"), [("", 0), ("10/s", 10), ("60/m", 1), ("3600/h", 1), ("86400/d", 1)])
def test_a_rate_is_a_number_in_a_time(text: str, per_second: float) -> None:
    """Empty is any."""
    assert parse_rate(text) == per_second


@pytest.mark.parametrize("text", ["10", "0/s", "-1/s", "1.5/s", "10/week", "10 / s"])
def test_a_bad_rate_says_what_would_be_right(text: str) -> None:
    """With an example."""
    with pytest.raises(ValueError, match="10/s"):
        GatewayQueueSettings(rate=text)


@pytest.mark.parametrize("name", ["concurrency", "breaker_after", "max_hops"])
def test_numbers_are_one_or_more(name: str) -> None:
    """None of them can be nothing."""
    with pytest.raises(ValueError, match="1 or more"):
        GatewayQueueSettings(**{name: 0})  # type: ignore[arg-type]
