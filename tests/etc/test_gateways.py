"""Tests of etc/gateways: each example is loaded as its own words say, and carries mail."""

from pathlib import Path

import pytest

from mailnode.testing.api import FakeHttp, MemoryNode

FOLDER = Path(__file__).parents[2] / "etc" / "gateways"
ANN = "ann@home.example"


def config_of(name: str, **values: str) -> str:
    """Take the configuration out of an example's docstring."""
    text = (FOLDER / f"{name}.py").read_text().split('"""')[1]
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    config = "\n".join(lines).replace("gateways/", f"{FOLDER}/").replace("ann@example.org", ANN)
    for old, new in values.items():
        config = config.replace(old, new)
    return config


def test_sms_sends_a_text_message() -> None:
    """The number, the text, the key; and a long one is cut with its mark."""
    web = FakeHttp().will(503)
    node = MemoryNode(config=config_of("sms"), http=web)
    node.send(ANN, "+49170123@sms.example.org", subject="Lunch", text="now? " * 200)
    node.advance("1h")
    first, second = web.requests
    assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])
    assert second.json()["to"] == "+49170123"
    assert second.json()["text"].endswith("more characters]")
    assert not node.queue()


def test_notes_go_both_ways(tmp_path: Path) -> None:
    """Mail becomes a file, a file becomes mail and is gone."""
    config = config_of("notes").replace("/srv/notes", str(tmp_path))
    node = MemoryNode(config=config)
    node.send(ANN, "shopping@notes.example.org", subject="To buy", text="milk")
    (note,) = (tmp_path / "out").iterdir()
    assert note.read_text() == "To buy\n\nmilk\n"
    (tmp_path / "in" / "shopping.txt").write_text("milk: done")
    node.advance("1m")
    (mail,) = node.mailbox(ANN)
    assert (mail["From"], mail.get_content().strip()) == ("shopping@notes.example.org", "milk: done")
    assert not list((tmp_path / "in").iterdir())


def test_a_note_cannot_leave_its_folder(tmp_path: Path) -> None:
    """A slash in the address is refused."""
    node = MemoryNode(config=config_of("notes").replace("/srv/notes", str(tmp_path)))
    node.send(ANN, "a/b@notes.example.org")
    assert not list((tmp_path / "out").iterdir())
    assert "slash" in node.mailbox(ANN)[0].as_string()


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.py")))
def test_every_example_is_tried_here(name: str) -> None:
    """A new one needs a test."""
    assert f'config_of("{name}"' in Path(__file__).read_text()
