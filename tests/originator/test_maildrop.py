"""Tests of the maildrop: what is kept whole, and what hostile files become."""

import io
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mailnode.mail.envelope import Notify, Return
from mailnode.originator.draft import Draft
from mailnode.originator.maildrop import NAME, Unfit, keep, opened, waiting
from mailnode.originator.receipt import BadDraft, NobodyTakesIt

DRAFT = Draft(
    "ann", ("bob", "carl@example.org"), io.BytesIO(b"Subject: x\r\n\r\nhi\r\n"), Notify.SUCCESS | Notify.DELAY, Return.HEADERS,
    "id", "Ann Ä",
)  # fmt: skip


def dropped(folder: Path, line: bytes, content: bytes = b"") -> Path:
    """Put a file there as anybody could."""
    path = folder / f"{1:016x}.{1:032x}"
    path.write_bytes(line + content)
    return path


def first_line(**changed: Any) -> bytes:
    """Write a first line."""
    fields = {"form": 1, "from": "a", "to": ["b"], "notify": 0, "ret": "", "envid": "", "name": "", **changed}
    return json.dumps(fields).encode() + b"\n"


def test_what_is_kept_comes_out_again(tmp_path: Path) -> None:
    """Addresses, wishes and every octet; and it is known whose it is."""
    name = keep(tmp_path, DRAFT, now=1.5)
    assert list(waiting(tmp_path, 10)) == [name]
    assert NAME.fullmatch(name)
    found = opened(tmp_path / name)
    assert found.user_id == os.getuid()
    found.draft.content.seek(0)
    assert found.draft.content.read(100) == b"Subject: x\r\n\r\nhi\r\n"
    assert evolve(found.draft, content=DRAFT.content) == DRAFT
    found.close()


def test_the_oldest_comes_first(tmp_path: Path) -> None:
    """Names sort by the time they were made at."""
    names = [keep(tmp_path, DRAFT, now=now) for now in (3.0, 1.0, 2.0)]
    assert list(waiting(tmp_path, 2)) == [names[1], names[2]]
    assert not waiting(tmp_path / "none", 2)


def test_it_is_durable_before_it_has_its_name(tmp_path: Path) -> None:
    """The octets are synced under a hidden name; then the new name is made durable."""
    seen: list[list[str]] = []
    keep(tmp_path, DRAFT, now=1.0, sync=lambda _: seen.append([name[0] for name in os.listdir(tmp_path)]))
    assert seen == [["."], ["0"]]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """What was begun is removed, and the caller hears that it may try again."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(NobodyTakesIt, match="No space left") as trouble:
        keep(tmp_path, DRAFT, now=1.0, sync=full)
    assert trouble.value.code == 75
    assert not list(tmp_path.iterdir())


def test_without_a_folder_nobody_takes_it(tmp_path: Path) -> None:
    """No folder is made where no node has ever been."""
    with pytest.raises(NobodyTakesIt):
        keep(tmp_path / "none", DRAFT, now=1.0)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no end",
        b"no JSON\n",
        b"[" * 100_000 + b"\n",
        b"[]\n",
        b'{"form": 1}\n',
        first_line(form=2),
        first_line(more=1),
        first_line(to=[]),
        first_line(to="bob"),
        first_line(to=[1]),
        first_line(to=["b\r\nRCPT TO:<c>"]),
        first_line(to=["x"] * 10_001),
        first_line(notify=True),
        first_line(notify=999),
        first_line(ret="SOME"),
        first_line(**{"from": None}),
        first_line(name="x" * 1001),
    ],
)
def test_what_is_no_draft_is_not_believed(tmp_path: Path, line: bytes) -> None:
    """Anybody may write anything there."""
    with pytest.raises(Unfit):
        opened(dropped(tmp_path, line))


@pytest.mark.rfc("5321", "2.3.8")
def test_bare_line_ends_do_not_get_through(tmp_path: Path) -> None:
    """A file that no program of ours has written is made lines like all mail."""
    found = opened(dropped(tmp_path, first_line(), b"a\n.\nMAIL FROM:<b>\rc"))
    for _ in range(2):
        found.draft.content.seek(0)
        read = b"".join(iter(lambda: found.draft.content.read(100), b""))
        assert read == b"a\r\n.\r\nMAIL FROM:<b>\r\nc\r\n"
    found.close()


def test_what_is_written_later_is_not_read(tmp_path: Path) -> None:
    """Its owner may go on writing to it; the size that was judged is the size that is taken."""
    path = dropped(tmp_path, first_line(), b"one\r\n")
    found = opened(path)
    with path.open("ab") as file:
        file.write(b"x" * 1000)
    found.draft.content.seek(0)
    assert found.draft.content.read(2000) == b"one\r\n"
    assert found.draft.content.read(2000) == b""
    found.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"recipients": ()},
        {"recipients": ("a",) * 10_001},
        {"recipients": ("a\x01b",)},
        {"sender": "a" * 1001},
        {"envelope_id": "\udce4"},
    ],
)
def test_what_could_not_be_read_later_is_refused_now(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Whoever is told that a message is kept may forget it, so there must be no doubt that the node will take it."""
    with pytest.raises(BadDraft):
        keep(tmp_path, evolve(DRAFT, **changed), now=1.0)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "kept"), [("J\udcf6rg", "J?rg"), ("a\tb\x01", "a?b?"), ("x" * 2000, "x" * 1000), ("Ann Ä", "Ann Ä")]
)
def test_no_name_keeps_a_message_from_being_read(tmp_path: Path, name: str, kept: str) -> None:
    """A full name in an old encoding, with controls or without an end is written as far as it can be."""
    found = opened(tmp_path / keep(tmp_path, evolve(DRAFT, full_name=name), now=1.0))
    assert found.draft.full_name == kept
    found.close()


def test_the_most_recipients_fit(tmp_path: Path) -> None:
    """However long their addresses are, and whatever they are written in."""
    longest = tuple("Ä" * 123 + f"{number:05}@x" for number in range(10_000))
    found = opened(tmp_path / keep(tmp_path, evolve(DRAFT, recipients=longest), now=1.0))
    assert found.draft.recipients == longest
    found.close()


def test_links_pipes_and_sockets_are_not_opened(tmp_path: Path) -> None:
    """None of them is followed, waited for, or read."""
    real = dropped(tmp_path, first_line())
    (tmp_path / "soft").symlink_to(real)
    (tmp_path / "hard").hardlink_to(real)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as here:
        here.bind(str(tmp_path / "socket"))
    for name in ("soft", "hard", "pipe", "folder", "socket"):
        with pytest.raises((Unfit, OSError)):
            opened(tmp_path / name)
