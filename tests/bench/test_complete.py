"""What the bench takes for mail that has arrived whole."""

from pathlib import Path

from tests.bench.complete import difference, file_sizes


def test_all_that_was_sent_must_be_there() -> None:
    """A file less is a loss, and a file more was delivered twice."""
    assert difference([4096, 4096], [4500, 4500]) == ""
    assert difference([4096, 4096], [4500]) == "2 messages were sent and 1 files are there"
    assert difference([4096], [4500, 4500]) == "1 messages were sent and 2 files are there"


def test_a_cut_message_is_noticed() -> None:
    """A file that is clearly smaller than its body was cut; one with shorter line ends was not."""
    assert difference([4096, 65536], [64800, 4100]) == ""
    assert difference([4096, 65536], [60000, 4100]) == "1 files of 2 are not whole"


def test_only_delivered_files_count(tmp_path: Path) -> None:
    """What lies in a mailbox's tmp has not been delivered."""
    for part in ("new", "tmp"):
        (tmp_path / "u00" / part).mkdir(parents=True)
        (tmp_path / "u00" / part / "one").write_bytes(b"four")
    assert file_sizes(tmp_path) == [4]
