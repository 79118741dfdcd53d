"""Tests of what exit statuses mean."""

from typing import Any

import pytest

from mailnode.gateways.api import Delayed, Delivered, Failed
from mailnode.shipped.programs.processes import Exit
from mailnode.shipped.programs.sysexits import outcome_of_exit


@pytest.mark.parametrize(
    ("done", "kind", "status"),
    [
        (Exit(0), Delivered, None),
        (Exit(67), Failed, "5.1.1"),
        (Exit(77), Failed, "5.7.0"),
        (Exit(75), Delayed, "4.3.0"),
        (Exit(1), Delayed, "4.3.0"),
        (Exit(127), Delayed, "4.3.5"),
        (Exit(-1, 9), Delayed, "4.3.0"),
        (Exit(0, overdue=5.0), Delayed, "4.3.0"),
        (Exit(1, output=b"5.7.1 virus found\n"), Failed, "5.7.1"),
        (Exit(67, output=b"4.2.2 mailbox full"), Delayed, "4.2.2"),
    ],
)
def test_each_status_has_its_meaning(done: Exit, kind: type, status: str | None) -> None:
    """A code in the output counts more than the exit status; trouble of this machine passes."""
    outcome = outcome_of_exit(done, {})
    assert isinstance(outcome, kind)
    assert getattr(outcome, "status", None) == status


def test_the_configuration_may_say_otherwise() -> None:
    """Only for what is an exit status at all."""
    own: Any = {"1": "failed", "0": "delayed", "67": "delivered"}
    assert isinstance(outcome_of_exit(Exit(1), own), Failed)
    assert isinstance(outcome_of_exit(Exit(0), own), Delayed)
    assert isinstance(outcome_of_exit(Exit(67), own), Delivered)
    assert isinstance(outcome_of_exit(Exit(-1, 15), own), Delayed)
    assert "EX_NOUSER" in outcome_of_exit(Exit(67, output=b"who?"), {}).text
