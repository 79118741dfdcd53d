"""What the load generator with TLS sends."""

import base64

from hypothesis import given
from hypothesis import strategies as some

from tests.bench.tls_source import body, content, plain


@given(some.integers(2, 200_000))
def test_a_body_has_the_wanted_size_in_whole_lines(size: int) -> None:
    """A body is as long as it is to be, give or take a line end, and no line is too long."""
    octets = body(size)
    assert size - 2 <= len(octets) <= size
    assert octets.endswith(b"\r\n")
    assert max(map(len, octets.split(b"\r\n"))) <= 78


def test_a_message_ends_with_a_lone_dot() -> None:
    """The content is a header section, an empty line, the body and the end of data."""
    octets = content("a@bench.test", "b@bench.test", 100, 7)
    head, _, rest = octets.partition(b"\r\n\r\n")
    assert b"To: <b@bench.test>" in head
    assert rest.endswith(b"\r\n.\r\n")


def test_plain_is_name_and_password_behind_zeros() -> None:
    """AUTH PLAIN's initial response is base64 of NUL name NUL password (RFC 4616)."""
    assert base64.b64decode(plain("a@bench.test", "secret")) == b"\0a@bench.test\0secret"
