"""Frames: what is read back is what was written, or nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailnode.couriers.maildir_record import BLOCK, Record, first_key, frame_size, pack_frame, read_frames

KEY = b"k" * 16
RECORDS = (Record("example.org/ann", "1.a,S=3", b"abc"), Record("example.org/bøb", "2.b,S=0", b""))
BIG = (Record("example.org/eve", "3.c,S=5000", bytes(range(250)) * 20),)

any_records = st.lists(
    st.builds(Record, st.text(max_size=20), st.text(max_size=20), st.binary(max_size=9000)), max_size=4
)


def read(octets: bytes, key: bytes = KEY) -> list[Record]:
    """Read all frames of some octets."""
    return list(read_frames(key, lambda size, offset: octets[offset : offset + size], 0))


@given(st.lists(any_records, max_size=3))
@settings(max_examples=30)
def test_frames_come_back_as_they_were(batches: list[list[Record]]) -> None:
    """Frames one behind the other give their records in order; each has whole blocks and no more than was foretold."""
    frames = [pack_frame(KEY, batch) for batch in batches]
    for frame, batch in zip(frames, batches, strict=True):
        assert len(frame) % BLOCK == 0
        assert len(frame) <= frame_size(batch)
    assert read(b"".join(frames)) == [record for batch in batches for record in batch]


def test_a_frame_that_is_cut_off_counts_for_nothing() -> None:
    """Wherever the second of two frames ends too early, the first is read and nothing of the second."""
    first, second = pack_frame(KEY, RECORDS), pack_frame(KEY, BIG)
    filled = 28 + 8 + len("example.org/eve") + len("3.c,S=5000") + 5000
    for cut in range(0, filled, 7):
        torn = first + second[:cut]
        assert read(torn) == list(RECORDS)
        assert read(torn + bytes(len(second) - cut)) == list(RECORDS)


def test_a_flipped_bit_is_seen() -> None:
    """Whichever octet of a frame changes, nothing of it is read, and nothing else happens."""
    frame = pack_frame(KEY, RECORDS)
    end = 28 + sum(8 + len(r.folder.encode()) + len(r.name) + len(r.octets) for r in RECORDS)
    for at in range(end):
        for bit in (1, 128):
            damaged = bytearray(frame)
            damaged[at] ^= bit
            assert read(bytes(damaged)) == []


def test_frames_of_another_key_are_not_read() -> None:
    """What an earlier use has left is not taken for a record, whole as it may be."""
    assert read(pack_frame(b"o" * 16, RECORDS)) == []
    assert read(pack_frame(KEY, RECORDS) + pack_frame(b"o" * 16, BIG)) == list(RECORDS)


def test_a_message_that_looks_like_a_frame_is_a_message() -> None:
    """A frame inside a message's octets, on a block of its own even, is not read where the journal ends."""
    forged = pack_frame(b"guessed" + bytes(9), [Record("example.org/eve", "x", b"forged")])
    old = pack_frame(b"o" * 16, [Record("example.org/ann", "1", b"-" * 4000 + forged)])
    now = pack_frame(KEY, RECORDS)
    assert read(now + old[len(now) :]) == list(RECORDS)


def test_the_key_of_a_frame_is_found() -> None:
    """The first octets of a frame tell its key; others tell none."""
    assert first_key(pack_frame(KEY, RECORDS)) == KEY
    assert first_key(bytes(100)) is None
    assert first_key(b"MJF1") is None
