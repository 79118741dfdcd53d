"""Tests of reading batches: what is written comes back, and hostile ones harm nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.uucp.batch_reading import MOST_FAULTS, BatchReader, Transaction

BATCH = (
    b"EHLO mars\r\nMAIL FROM:<ann@mars.example> BODY=8BITMIME SIZE=20\r\nRCPT TO:<bob@home.example> NOTIFY=NEVER\r\n"
    b"DATA\r\nSubject: one\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<bob@home.example>\r\nRCPT TO:<eve@home.example>\r\n"
    b"DATA\r\nSubject: two\r\n\r\n.\r\nQUIT\r\nnothing\r\n"
)


def read(*pieces: bytes, largest: int = 10_000) -> tuple[list[Transaction], str]:
    """Read a batch; gives its transactions and what is wrong with it as a whole."""
    found: list[Transaction] = []
    reader = BatchReader(largest=largest, hear=found.append)
    for piece in pieces:
        reader.feed(piece)
    reader.end()
    return found, reader.trouble


def summary(one: Transaction) -> tuple[int, str, list[str], bytes]:
    """Give what a transaction says."""
    return one.number, str(one.reverse_path), [str(each.forward_path) for each in one.recipients], one.octets


WANTED = [
    (1, "ann@mars.example", ["bob@home.example"], b"Subject: one\r\n\r\n.dot\r\n"),
    (2, "", ["bob@home.example", "eve@home.example"], b"Subject: two\r\n\r\n"),
]


@pytest.mark.rfc("2442", "2")
@pytest.mark.parametrize(
    "batch",
    [
        BATCH,
        BATCH.replace(b"\r\n", b"\n"),
        BATCH.replace(b"EHLO", b"HELO").replace(b" BODY=8BITMIME SIZE=20", b"").replace(b" NOTIFY=NEVER", b""),
        BATCH[11:],
    ],
)
def test_a_batch_is_read(batch: bytes) -> None:
    """With either line end, either hello, or none; what comes behind QUIT means nothing."""
    found, trouble = read(batch)
    assert [summary(one) for one in found] == WANTED
    assert (trouble, [one.why for one in found]) == ("", ["", ""])


@given(st.integers(0, len(BATCH)), st.integers(0, len(BATCH)), st.booleans())
def test_wherever_it_is_cut(first: int, second: int, is_unix: bool) -> None:
    """The pieces make no difference."""
    batch = BATCH.replace(b"\r\n", b"\n") if is_unix else BATCH
    first, second = sorted((first, second))
    assert [summary(one) for one in read(batch[:first], batch[first:second], batch[second:])[0]] == WANTED


@pytest.mark.parametrize(
    "opening",
    [
        b"HELO mars\r\nMAIL FROM:nonsense here\r\nRCPT TO:<bob@home.example>\r\n",
        b"HELO mars\r\nMAIL FROM:<a@b.example>\r\n",
        b"HELO mars\r\nMAIL FROM:<a@b.example> X=Y\r\nRCPT TO:<bob@home.example>\r\n",
        b"HELO mars\r\n",
    ],
)
def test_content_never_becomes_commands(opening: bytes) -> None:
    """Whoever wrote it did not hear that DATA was refused; the next message is read as ever."""
    inside = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<victim@home.example>\r\nDATA\r\nevil\r\n.\r\n"
    found, trouble = read(opening + b"DATA\r\n" + inside + BATCH[11:])
    assert found[0].why
    assert [summary(one)[1:] for one in found[1:]] == [one[1:] for one in WANTED]
    assert not trouble


@pytest.mark.parametrize("mark", [b"\n.\n", b"\r.\r", b"\r\n.\n", b"\n.\r\n", b"\r\r\n.\r\r\n"])
@pytest.mark.parametrize("is_unix", [False, True])
def test_nobody_smuggles(mark: bytes, is_unix: bool) -> None:
    """Only the lone dot between line ends of the file's own kind ends a message."""
    evil = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<v@home.example>\r\nDATA\r\nx"
    ends = (b"\n.\n", b"\r\n.\n", b"\n.\r\n") if is_unix else ()
    if mark in ends:
        return  # there it is the mark of the end, and the writer of the file has stuffed it
    batch = b"HELO m\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@home.example>\r\nDATA\r\nhello"
    end = b"\r\n.\r\nQUIT\r\n"
    if is_unix:
        batch, evil, end = (one.replace(b"\r\n", b"\n") for one in (batch, evil, end))
    found, _ = read(batch + mark + evil + end)
    assert [str(one.reverse_path) for one in found] == ["a@b.example"]


@pytest.mark.parametrize(
    ("batch", "trouble"),
    [
        (b"", "too early"),
        (b"\x7fELF\x00\x01", "too early"),
        (b"Hello, Bob\r\n", "no batch"),
        (b"GET / HTTP/1.0\r\n\r\n", "no batch"),
        (b"HELO m\r\nMAIL FROM:<a@b.example>\r\n", "too early"),
        (b"HELO m\r\nBDAT 5 LAST\r\nhello", "BDAT"),
        (b"HELO m\r\n" + b"FOO\r\n" * (MOST_FAULTS + 5), "too many faults"),
        (b"HELO m\r\n" + b"x" * 100_000 + b"\r\nNO", "too early"),
    ],
)
def test_what_is_no_batch(batch: bytes, trouble: str) -> None:
    """It is said so, once, in constant memory."""
    found, said = read(*(batch[start : start + 1000] for start in range(0, len(batch), 1000)))
    assert not found
    assert trouble in said


def test_large_and_unfinished_messages_are_spoiled() -> None:
    """The others are not."""
    big = BATCH.replace(b"..dot", b"x" * 20_000)
    found, _ = read(big)
    assert "larger than" in found[0].why
    assert not found[0].octets
    assert not found[1].why
    found, _ = read(BATCH[:-20])
    assert found[-1].why == "the batch ends within it"
    assert found[0].digest == read(BATCH)[0][0].digest != found[1].digest


@given(
    st.lists(
        st.sampled_from(
            [
                b"HELO x",
                b"MAIL FROM:<a@b.c>",
                b"RCPT TO:<d@e.f>",
                b"DATA",
                b".",
                b"..",
                b"RSET",
                b"QUIT",
                b"",
                b"NOOP",
                b"AUTH PLAIN",
                b"STARTTLS",
                b"\xff",
                b"BDAT 3",
            ]
        ),
        max_size=30,
    ),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_nothing_breaks_the_reader(lines: list[bytes], end: bytes) -> None:
    """Whatever the order, it neither raises nor takes a message without a sender's MAIL."""
    found, _ = read(end.join(lines))
    assert all(one.why or one.recipients for one in found)
