"""Tests of mail into programs: against one that is told how to fail, and against real ones."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import TestCase

from mailnode.shipped.programs.pipe import Pipe
from mailnode.shipped.programs.processes import Exit
from mailnode.testing.api import HANG, FakePeer, MemoryNode

ANN = "ann@home.example"
BOB = "bob+lists@pipe.example"
EVE = "eve@pipe.example"


class Programs:
    """Stands for all programs; ``runs`` are their arguments, environment and input."""

    def __init__(self, *exits: Any) -> None:
        self.peer = FakePeer(otherwise=Exit()).will(*exits)
        self.runs: list[tuple[list[str], dict[str, str], bytes]] = []

    async def run(self, reactor: Any, program: Any, *, feed: Any, keep: int, limit: float) -> Any:
        """Run one."""
        self.runs.append((list(program.arguments), dict(program.environment), b"".join(feed)))
        return await self.peer.call(program)


def node_with(programs: Programs, *run: str, **settings: Any) -> MemoryNode:
    """Make a node that pipes."""
    pipe = Pipe(run=run or ("/bin/x", "{recipient}"), **settings)
    pipe._run = programs.run
    return MemoryNode(pipe, domain="pipe.example")


def test_a_run_for_each_recipient() -> None:
    """With the arguments, the keys and the message of each; lines end as Unix has them."""
    programs = Programs()
    node = node_with(programs, "/bin/x", "-f{sender}", "{user}", "{extension}", return_path=True, delivered_to=True)
    node.send(ANN, BOB, EVE, subject="Hi", text="Hello.")
    assert sorted(words for words, _, _ in programs.runs) == [
        ["/bin/x", f"-f{ANN}", "bob", "lists"], ["/bin/x", f"-f{ANN}", "eve", ""],
    ]  # fmt: skip
    _, environment, octets = programs.runs[0]
    assert octets.startswith(f"Return-Path: <{ANN}>\nDelivered-To: ".encode())
    assert b"\r" not in octets
    assert len({told["MAILNODE_KEY"] for _, told, _ in programs.runs}) == 2
    assert environment["TRACEPARENT"].startswith("00-")
    assert not node.queue()


def test_one_run_for_all() -> None:
    """Where the arguments say so; with an mbox's first line and CRLF."""
    programs = Programs()
    node = node_with(programs, "/bin/x", "{recipients}", from_line=True, newlines="crlf")
    node.send("", BOB, EVE)
    ((words, _, octets),) = programs.runs
    assert words == ["/bin/x", BOB, EVE]
    assert octets.startswith(b"From MAILER-DAEMON ")
    assert octets.count(b"\n") == octets.count(b"\r\n")


def test_exit_statuses_are_for_each() -> None:
    """One is served, one bounces with the program's words, and one waits with its reason."""
    programs = Programs(Exit(), Exit(67, output=b"who is\neve?"), Exit(75), Exit(-1, 11), Exit(127))
    node = node_with(programs)
    node.send(ANN, BOB, EVE, "third@pipe.example")
    (bounce,) = node.mailbox(ANN)
    assert "EX_NOUSER): who is eve?" in " ".join(bounce.as_string().split())
    (waiting,) = node.queue()
    assert (waiting.to, "EX_TEMPFAIL" in waiting.reason) == ("third@pipe.example", True)
    node.advance("10m")
    assert "ended by signal 11" in node.queue()[0].reason
    node.advance("20m")
    assert "4.3.5" in node.queue()[0].reason
    node.advance("4h")
    assert not node.queue()
    assert len({told["MAILNODE_KEY"] for words, told, _ in programs.runs if words[1].startswith("third")}) == 1


def test_who_was_served_is_not_served_again() -> None:
    """When the attempt is cut off because another program hangs."""
    programs = Programs(Exit(), HANG)
    node = node_with(programs)
    node.send(ANN, BOB, EVE)
    node.advance("1h")
    assert not node.queue()
    assert [words[1] for words, _, _ in programs.runs] == [BOB, EVE, EVE]


def test_hostile_addresses_start_nothing() -> None:
    """They bounce."""
    programs = Programs()
    node = node_with(programs)
    node.send(ANN, "-oX@pipe.example")
    assert not programs.runs
    assert "read as an option" in node.mailbox(ANN)[0].as_string()


def test_what_comes_round_again_bounces() -> None:
    """By its Delivered-To."""
    programs = Programs()
    node = node_with(programs, delivered_to=True)
    node.send(ANN, BOB, octets=f"Delivered-To: {BOB.upper()}\r\nSubject: x\r\n\r\nx\r\n".encode())
    assert not programs.runs
    assert "5.4.6" in node.mailbox(ANN)[0].as_string()


@pytest.mark.parametrize(
    "settings",
    [{"run": ()}, {"user": "root"}, {"parallel": 0}, {"statuses": {"x": "failed"}}, {"run": ("/bin/x", "{nobody}")}],
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError, match="expected"):
        Pipe(**{"run": ("/bin/x",), **settings})


class WithRealPrograms(TestCase):
    """By spawnProcess."""

    async def test_a_large_message_arrives_whole_and_failure_passes(self) -> None:
        """A script that fails at first; as nobody where we are root."""
        from twisted.internet import reactor

        folder = Path(tempfile.mkdtemp(prefix="mailnode-"))
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o777)  # noqa: ASYNC240 - nobody else waits
        script = f'[ -e "{folder}/seen" ] || {{ touch "{folder}/seen"; echo "not yet"; exit 75; }}; cat > "{folder}/$1"; id -u'
        node = MemoryNode(Pipe(run=("/bin/sh", "-c", script, "sh", "{key}")), domain="pipe.example", reactor=reactor)
        text = "line\r\n" * 500_000
        node.send(ANN, EVE, octets=b"Subject: large\r\n\r\n" + text.encode())
        await node.settled()
        assert "not yet" in node.queue()[0].reason
        await node.advance("1h")
        assert not node.queue()
        (file,) = (one for one in folder.iterdir() if one.name != "seen")  # noqa: ASYNC240 - nobody else waits
        assert file.read_bytes().endswith(text.replace("\r\n", "\n").encode())
        assert file.stat().st_uid != 0
        await node.stop()
