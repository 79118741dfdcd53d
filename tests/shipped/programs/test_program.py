"""Tests of programs whose output becomes mail."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from mailnode.interfaces import Refused
from mailnode.mail.reply import Reply
from mailnode.shipped.programs.processes import Exit
from mailnode.shipped.programs.program import Program
from mailnode.testing.api import FakePeer, MemoryNode

ANN = "ann@home.example"
DISK = "disk@home.example"


def node_with(*exits: Any, **settings: Any) -> tuple[MemoryNode, FakePeer]:
    """Make a node with a program that runs every hour."""
    peer = FakePeer(otherwise=Exit()).will(*exits)

    async def run(reactor: Any, program: Any, **how: Any) -> Any:
        return await peer.call(program, how)

    gateway = Program(run=("/bin/report",), to=(ANN,), sender=DISK, **{"every": 3600.0, **settings})
    gateway._once = run
    return MemoryNode(gateway), peer


def test_what_is_printed_is_mailed() -> None:
    """When there is something, or when it failed; silence is good news."""
    node, peer = node_with(Exit(output=b"disk 91%\n"), Exit(), Exit(2))
    node.advance("5h")
    first, second = node.mailbox(ANN)
    assert (first["Subject"], first["From"], first["Auto-Submitted"]) == (
        "report: exit status 0",
        DISK,
        "auto-generated",
    )
    assert first.get_content().strip() == "disk 91%"
    assert second["Subject"] == "report: exit status 2"
    assert len(peer.calls) == 6


def test_only_failures_or_always() -> None:
    """As ``mail_when`` says; what is cut is said to be."""
    node, _ = node_with(Exit(output=b"fine"), Exit(1, output=b"x", is_cut=True), mail_when="failure", subject="Report")
    node.advance("3h")
    (mail,) = node.mailbox(ANN)
    assert mail["Subject"] == "Report"
    assert "the rest is left out" in mail.get_content()
    node, _ = node_with(mail_when="always")
    node.advance("90m")
    assert len(node.mailbox(ANN)) == 2


def test_what_cannot_be_submitted_is_kept_and_comes_later() -> None:
    """Also after a restart; refused for good it is laid aside."""
    node, _ = node_with(mail_when="always")
    gateway: Any = node.gateway()
    busy = FakePeer()
    busy.will(Refused(Reply.of(451, "4.3.0", "busy"))).will(Refused(Reply.of(451, "4.3.0", "busy")))

    gateway.node = Busy(gateway.node, busy)
    node.advance("1h")
    assert len(node.mailbox(ANN)) == 1
    assert len(gateway._shelf.names()) == 1
    node.advance("5m")
    assert len(node.mailbox(ANN)) == 2
    assert not gateway._shelf.names()
    busy.always(Refused(Reply.of(550, "5.7.1", "never")))
    node.advance("1h")
    busy.always(None)
    assert not gateway._shelf.names()
    assert [one.name.endswith(".refused") for one in gateway._shelf.folder.iterdir()] == [True]


@pytest.mark.parametrize(
    "settings", [{"to": ()}, {"to": ("x",)}, {"sender": "x"}, {"user": "root"}, {"run": ()}, {"largest": 1}]
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start."""
    with pytest.raises(ValueError, match=r"expected|address"):
        Program(**{"run": ("/bin/x",), "to": (ANN,), "sender": DISK, **settings})


class Busy:
    """A node that refuses as told."""

    def __init__(self, node: Any, busy: FakePeer) -> None:
        self._node = node
        self._busy = busy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    async def submit(self, *arguments: Any, **how: Any) -> Any:
        """Refuse, or let it through."""
        return await self._busy.call() or await self._node.submit(*arguments, **how)


class ForEver(TestCase):
    """Real programs that run on and on."""

    async def _mails(self, script: str, count: int, **settings: Any) -> list[Any]:
        from twisted.internet import reactor as running

        reactor: Any = running
        gateway = Program(run=("/bin/sh", "-c", script), to=(ANN,), sender=DISK, **settings)
        node = MemoryNode(gateway, reactor=reactor, config="[gateway.program.source]\nrate=''\nrate_per_sender=''\n")
        self.addCleanup(lambda: Deferred.fromCoroutine(node.stop()))
        for _ in range(500):
            if len(node.mailbox(ANN)) >= count:
                break
            await deferLater(reactor, 0.01)
            node.clock.advance(0.01)
        await deferLater(reactor, 0.05)
        return node.mailbox(ANN)

    async def test_lines_become_mails(self) -> None:
        """More of them than may wait, in their order; then the program is left running."""
        mails = await self._mails("seq 200; sleep 60", 200)
        assert [mail["Subject"] for mail in mails] == [str(number) for number in range(1, 201)]

    async def test_messages_of_an_mbox(self) -> None:
        """With the header they have."""
        script = r"printf 'From a@x Sat\nSubject: one\n\n>From me\n\nFrom b@x Sat\nSubject: two\n\nHo\n\n'; sleep 60 & exec 1>&-; wait"
        mails = await self._mails(script, 1, frames="mbox")
        assert mails[0]["Subject"] == "one"
        assert mails[0].get_content().startswith("From me")

    async def test_who_ends_is_started_again(self) -> None:
        """After a pause that grows."""
        mails = await self._mails("echo up; exit 1", 2)
        assert len(mails) == 2
