"""Contents of middling size share a bounded memory, and give it back."""

from mailnode.roles.allowance import MOST, Allowance, Loan


def test_what_is_lent_is_bounded_and_comes_back() -> None:
    """A loan covers what is left, nothing more, and is free for others when it is given back."""
    allowance = Allowance(100_000)
    first, second = Loan(allowance), Loan(allowance)
    assert first.covers(10)
    assert first.covers(65_536)
    assert allowance.left == 100_000 - 65_536
    assert not second.covers(40_000)
    first.give_back()
    first.give_back()
    assert allowance.left == 100_000
    assert second.covers(90_000)


def test_a_large_content_goes_to_a_file_whatever_is_left() -> None:
    """No single content may take more than its part."""
    allowance = Allowance(10 * MOST)
    loan = Loan(allowance)
    assert loan.covers(MOST)
    assert not loan.covers(MOST + 1)
