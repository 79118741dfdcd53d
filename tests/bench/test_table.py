"""What the table of the bench shows."""

from tests.bench import table
from tests.bench.measure import Round


def test_a_line_compares_with_postfix_and_with_mailnode() -> None:
    """Each server's line gives its rate as a part of both references'."""
    results = {"mailnode": [Round(300.0, 1.0, 50 << 20)], "postfix": [Round(100.0, 4.0, 70 << 20)]}
    ours, theirs = table.rates("accept", results, "mailnode", "postfix")
    assert ours == "| accept | **mailnode** | 300 (300 .. 300) | 3.00 | 1.00 | 1.00 (1.00 .. 1.00) | 50 |"
    assert theirs == "|  | postfix | 100 (100 .. 100) | 1.00 | 0.33 | 4.00 (4.00 .. 4.00) | 70 |"


def test_a_ratio_without_its_reference_is_left_empty() -> None:
    """Without Postfix in the run there is no ratio to it."""
    (line,) = table.rates("lmtp", {"mailnode": [Round(300.0, 1.0, 50 << 20)]}, "mailnode", "postfix")
    assert "300 (300 .. 300) |  | 1.00 |" in line


def test_a_spread_is_median_least_and_most() -> None:
    """The median of several rounds stands before its bounds."""
    assert table.spread([30.0, 10.0, 200.0]) == "30 (10 .. 200)"
    assert table.spread([0.5, 1.25, 1.0]) == "1.00 (0.50 .. 1.25)"
