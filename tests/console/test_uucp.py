"""Tests of rmail and rbsmtp: from standard input into the maildrop, where no node runs."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from mailnode.console import uucp
from mailnode.originator.receipt import DATA, USAGE

BATCH = (
    b"HELO mars\nMAIL FROM:<zoe@mars.example>\nRCPT TO:<bob@home.example>\nDATA\nSubject: one\n\n..\n.\n"
    b"MAIL FROM:<>\nRCPT TO:<eve@home.example>\nDATA\nSubject: two\n\n.\nQUIT\n"
)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Make a data folder with a maildrop and no node."""
    (tmp_path / "mailnode.toml").write_text(f'[node]\nhostname = "mx.home.example"\ndata = "{tmp_path}/data"\n')
    folder = tmp_path / "data" / "public" / "maildrop"
    folder.mkdir(parents=True)
    return folder


def call(work: Any, monkeypatch: pytest.MonkeyPatch, drop: Path, octets: bytes, *words: str) -> int:
    """Run a command with octets on its standard input."""

    class Stdin:
        buffer = io.BytesIO(octets)

    monkeypatch.setattr("sys.stdin", Stdin)
    configuration = drop.parents[2] / "mailnode.toml"
    return uucp._ended("x", lambda: work(["--config", str(configuration), *words]))


def dropped(drop: Path) -> list[tuple[dict[str, Any], bytes]]:
    """Read what lies in the maildrop."""
    found = []
    for path in sorted(drop.iterdir()):
        line, _, octets = path.read_bytes().partition(b"\n")
        found.append((json.loads(line), octets))
    return found


@pytest.mark.rfc("976", "2.4")
def test_rmail_collapses_the_way(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender by the From_ lines, recipients as addresses, and the message without the lines."""
    octets = b"From mx.mars.example!zoe Sat remote from mars\nSubject: x\n\n>From me\n"
    code = call(uucp.rmail, monkeypatch, drop, octets, "home.example!bob", "eve@home.example", "root")
    ((fields, content),) = dropped(drop)
    assert code == 0
    assert fields["from"] == "zoe@mx.mars.example"
    assert fields["to"] == ["bob@home.example", "eve@home.example", "root"]
    assert content == b"Subject: x\r\n\r\n>From me\r\n"


@pytest.mark.parametrize(
    ("octets", "words", "code"),
    [
        (b"Subject: x\n\n", ["bob@home.example"], DATA),
        (b"From a x\n\n", [], USAGE),
        (b"From a x\n\n", ["-f", "x"], USAGE),
        (b"From a@b.example x\n\n", ["a b!c"], DATA),
    ],
)
def test_bad_calls_of_rmail(
    drop: Path, monkeypatch: pytest.MonkeyPatch, octets: bytes, words: list[str], code: int
) -> None:
    """They end as sysexits.h says, and leave nothing."""
    assert call(uucp.rmail, monkeypatch, drop, octets, *words) == code
    assert not dropped(drop)


@pytest.mark.rfc("2442", "2")
def test_rbsmtp_takes_a_batch(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message for itself, the null sender too."""
    assert call(uucp.rbsmtp, monkeypatch, drop, BATCH) == 0
    first, second = dropped(drop)
    assert (first[0]["from"], first[0]["to"]) == ("zoe@mars.example", ["bob@home.example"])
    assert first[1].endswith(b"\r\n.\r\n")
    assert (second[0]["from"], second[0]["to"]) == ("", ["eve@home.example"])


def test_rbsmtp_says_what_is_wrong(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is right before is taken."""
    assert call(uucp.rbsmtp, monkeypatch, drop, b"Hello\n") == DATA
    assert not dropped(drop)
    assert call(uucp.rbsmtp, monkeypatch, drop, BATCH.replace(b"QUIT\n", b"BDAT 4 LAST\nHiho")) == DATA
    assert len(dropped(drop)) == 2
