"""Tests of what happens to a message on its way into the node: a body that comes alone."""

import pytest

from mailnode.console.send import headed


@pytest.mark.rfc("5322", "3.5")
@pytest.mark.parametrize(
    ("given_", "made"),
    [
        (b"Subject: x\r\n\r\ntext\r\n", b"Subject: x\r\n\r\ntext\r\n"),
        (b"\r\ntext\r\n", b"\r\ntext\r\n"),
        (b"text\r\n", b"\r\ntext\r\n"),
        (b"see this: x\r\nSubject: x\r\n", b"\r\nsee this: x\r\nSubject: x\r\n"),
        (b" Subject: x\r\n", b"\r\n Subject: x\r\n"),
        ("Grüße: x\r\n".encode(), "\r\nGrüße: x\r\n".encode()),
        (b"", b""),
        (b"From ann Sun Nov 22\r\nSubject: x\r\n", b"Subject: x\r\n"),
        (b"From here\r\non\r\n", b"\r\nFrom here\r\non\r\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_body_that_comes_alone_gets_its_empty_line(given_: bytes, made: bytes, size: int) -> None:
    """A first line that is no header field begins the body; a header stays as it is, wherever the blocks end."""
    blocks = (given_[start : start + size] for start in range(0, len(given_), size))
    assert b"".join(headed(blocks)) == made


def test_a_long_first_line_is_not_kept_in_memory() -> None:
    """What comes after the first block goes through untouched."""
    blocks = [b"x" * 70_000, b"y" * 70_000, b"\r\n"]
    assert list(headed(iter(blocks))) == [b"\r\n" + blocks[0], blocks[1], blocks[2]]
