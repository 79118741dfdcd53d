"""Tests of the marks that end loops."""

import pytest

from mailnode.gateways.loops import hops_of, is_automatic, mark, marks_in, read_header
from mailnode.gateways.tokens import Signer
from mailnode.mail.address import NULL, Mailbox

SIGNER = Signer(b"k" * 32)
ANN = Mailbox("ann", "x.example")


def test_the_greatest_signed_count_is_read() -> None:
    """What we did not sign is no mark."""
    header = read_header(
        f"X-Mailnode-Gateway-Hop: a; {mark(2, SIGNER)}\r\nX-Mailnode-Gateway-Hop: b; {mark(4, SIGNER)}\r\n"
        f"X-Mailnode-Gateway-Hop: c; 9.{'a' * 16}\r\nX-Mailnode-Gateway-Hop: d\r\n\r\n{mark(7, SIGNER)}".encode()
    )
    assert hops_of(marks_in(header), SIGNER) == 4
    assert hops_of([mark(3, Signer(b"x" * 32)), "", "x.y", "-1.z"], SIGNER) == 0


@pytest.mark.rfc("3834", "2")
@pytest.mark.parametrize(
    ("header", "sender", "expected"),
    [
        ("", ANN, False),
        ("", NULL, True),
        ("Auto-Submitted: no\r\n", ANN, False),
        ("Auto-Submitted: auto-generated\r\n", ANN, False),
        ("Auto-Submitted: Auto-Replied; x=y\r\n", ANN, True),
        ("Content-Type: multipart/report; boundary=x\r\n", ANN, True),
    ],
)
def test_answers_of_machines_are_known(header: str, sender: Mailbox, expected: bool) -> None:
    """Bounces and automatic replies; not the alarms a machine sends by itself."""
    assert is_automatic(read_header(f"{header}\r\nx".encode()), sender) is expected
