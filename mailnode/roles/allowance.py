"""The memory that contents of middling size share, so that most of them need no file (DESIGN section 5.2).

A content beyond 64 KiB may stay in memory while the node has room for it; each transaction borrows what it needs and
gives it back when it ends. When nothing is left, or the content is large, it goes to a file as ever: memory is bounded
by this allowance however many clients there are.
"""

SHARED = 64 * 1024 * 1024
"""Octets that all transactions of a process may borrow together."""

MOST = 512 * 1024
"""Octets of one content that may stay in memory."""

_STEP = 64 * 1024


class Allowance:
    """What is left to borrow."""

    def __init__(self, octets: int = SHARED) -> None:
        self.left = octets

    def lend(self, octets: int) -> bool:
        """Lend so much, or nothing."""
        if octets > self.left:
            return False
        self.left -= octets
        return True


class Loan:
    """What one transaction has borrowed."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._octets = 0

    def covers(self, octets: int) -> bool:
        """Tell whether so much may stay in memory beyond what is always allowed; borrows more if need be."""
        missing = octets - self._octets
        if missing <= 0:
            return True
        step = max(missing, _STEP)
        if octets > MOST or not self._allowance.lend(step):
            return False
        self._octets += step
        return True

    def give_back(self) -> None:
        """Give all of it back; more than once is harmless."""
        self._allowance.left += self._octets
        self._octets = 0
