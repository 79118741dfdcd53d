"""How the bench shares its messages out."""

from hypothesis import given
from hypothesis import strategies as some

from tests.bench.load import share


@given(some.integers(0, 5000), some.integers(1, 200))
def test_shares_are_even_and_complete(whole: int, parts: int) -> None:
    """No message is lost in sharing, and no share is more than one larger than another."""
    shares = share(whole, parts)
    assert sum(shares) == whole
    assert len(shares) == parts
    assert max(shares) - min(shares) <= 1
