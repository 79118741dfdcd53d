"""Tests of what bounces say."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default

import pytest

from mailnode.shipped.mailing_list.bounces import FOR_EVER, FOR_NOW, decayed, read_bounce


def read(text: str) -> EmailMessage:
    """Read a message."""
    return BytesParser(policy=default).parsebytes(text.replace("\n", "\r\n").encode())


def report(*groups: str) -> EmailMessage:
    """Write a delivery status notification with groups of fields."""
    blocks = "\n".join(f"{group}\n" for group in ("Reporting-MTA: dns; mx.example", *groups))
    return read(
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\nAuto-Submitted: auto-replied\n\n'
        f"--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n{blocks}\n--b--\n"
    )


@pytest.mark.rfc("3464", "2.3.4")
@pytest.mark.parametrize(
    ("action", "status", "weight"),
    [("failed", "5.1.1", FOR_EVER), ("failed", "4.2.2", FOR_NOW), ("Failed", "nonsense", FOR_NOW),
     ("delayed", "4.4.1", None), ("delivered", "2.0.0", None), ("relayed", "2.0.0", None)],
)  # fmt: skip
def test_the_status_says_for_how_long(action: str, status: str, weight: float | None) -> None:
    """Class 5 is for ever, class 4 for now; only failures count."""
    found = read_bounce(report(f"Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; 550 no"))
    assert (found.weight if found else None) == weight
    assert found is None or found.reason == "smtp; 550 no"


def test_words_count_where_there_is_no_report() -> None:
    """Old hosts write a text; a vacation program's answer is no bounce."""
    found = read_bounce(read("Subject: failure notice\n\n<x@y>: 550 5.1.1 nobody"))
    assert found is not None
    assert (found.weight, found.status, found.reason) == (FOR_EVER, "5.1.1", "failure notice")
    plain = read_bounce(read("Subject: failure notice\n\nIt did not work."))
    assert plain is not None
    assert plain.weight == FOR_NOW
    assert read_bounce(read("Auto-Submitted: auto-replied\n\nI am away. 5.1.1")) is None


def test_scores_halve() -> None:
    """In their half-life, and a clock that goes back adds nothing."""
    assert decayed(2.0, 100.0, 100.0) == 1.0
    assert decayed(2.0, -5.0, 100.0) == 2.0
