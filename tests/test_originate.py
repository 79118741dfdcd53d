"""Tests of sending from Python: the example as it stands, and what may be given for a message."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from mailnode import originate
from mailnode.originate import BadDraft, NobodyTakesIt, Originator, draft_of, send
from mailnode.originator.maildrop import waiting
from mailnode.originator.place import Place
from tests.kit.results import InlineDisk, now


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data folder of a node that does not run."""
    Place(tmp_path).maildrop.mkdir(parents=True)
    return tmp_path


def example() -> str:
    """Give the example of the documentation."""
    lines = (originate.__doc__ or "").partition("::\n")[2].splitlines()
    return "\n".join(
        line[4:] for line in lines[1 : next(n for n, line in enumerate(lines) if line[:1] not in ("", " "))]
    )


def test_the_example_is_right(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands in the documentation, but for the folder."""
    text = example()
    assert len(text.splitlines()) <= 20
    exec(text.replace("/var/lib/mailnode", str(data)), {})  # noqa: S102 - it is our own
    assert capsys.readouterr().out == "sent as kept until the node runs\n"
    assert len(waiting(Place(data).maildrop, 10)) == 1


def test_a_message_may_be_anything_that_is_one() -> None:
    """A message of the standard library, octets or text; with any line ends, UTF-8 in the header too."""
    message = EmailMessage()
    message["From"] = "ann@example.org"
    message["To"] = "bob@example.org"
    message["Subject"] = "Grüße"
    message.set_content("hi\n")
    for one in (message, message.as_bytes(), message.as_string(), bytearray(message.as_bytes())):
        draft = draft_of(one)
        assert (draft.sender, draft.recipients) == ("ann@example.org", ("bob@example.org",))
        draft.content.seek(0)
        octets = draft.content.read()
        assert octets.endswith(b"\r\n\r\nhi\r\n")
        assert octets.replace(b"\r\n", b"").count(b"\n") == 0


def test_the_envelope_may_be_another_than_the_header() -> None:
    """The null sender too; without a header it must be."""
    draft = draft_of("x", sender="<>", recipients=["ann"])
    assert (draft.sender, draft.recipients) == ("", ("ann",))
    with pytest.raises(BadDraft):
        draft_of("x", recipients=["ann"])


def test_no_node_and_no_maildrop_is_an_exception(tmp_path: Path) -> None:
    """It may be tried again."""
    with pytest.raises(NobodyTakesIt):
        send("To: ann\nFrom: bob\n\nhi\n", data=tmp_path)


def test_without_blocking_it_is_the_same(data: Path) -> None:
    """``Originator.of`` works on a thread."""
    receipt = now(Originator.of(data, InlineDisk()).send("To: ann\nFrom: bob\n\nhi\n"))
    assert receipt.kept_as in waiting(Place(data).maildrop, 10)
