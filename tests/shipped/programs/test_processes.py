"""Tests of a run, with real programs: feeding, output, time limits, groups."""

import os
import time
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from mailnode.shipped.programs.identity import identity_of
from mailnode.shipped.programs.processes import Program, Run, run_to_end, sliced


def test_slices_are_the_message_with_its_line_ends() -> None:
    """Wherever the blocks end; CRLF on request."""
    octets = b"a\r\n" * 50_000 + b"b" * 15535 + b"\r\n"
    assert b"".join(sliced(octets, before=b"X: 1\r\n")) == b"X: 1\n" + octets.replace(b"\r\n", b"\n")
    assert b"".join(sliced(octets, before=b"From x\n", newlines="crlf")) == b"From x\r\n" + octets


class Runs(TestCase):
    """On the real reactor."""

    timeout = 30

    def setUp(self) -> None:
        """Take the reactor."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.environment = identity_of("").environment({})

    def program(self, *arguments: str) -> Program:
        """Make a program with the environment they get."""
        return Program(arguments, self.environment)

    async def test_a_large_input_goes_through(self) -> None:
        """With back-pressure: the program reads slowly at first; what it prints beyond the limit is thrown away."""
        blocks = (b"0123456789abcdef" * 4096 for _ in range(100))
        script = "sleep 0.2; n=$(tee /dev/stderr | wc -c); echo $n >&2; exit 3"
        done = await run_to_end(self.reactor, self.program("/bin/sh", "-c", script), feed=blocks, keep=50, limit=20)
        assert (done.status, done.is_cut, len(done.output)) == (3, True, 50)

    async def test_who_does_not_read_does_not_block(self) -> None:
        """Its exit status counts."""
        blocks = (b"x" * 65536 for _ in range(1000))
        done = await run_to_end(self.reactor, self.program("/bin/true"), feed=blocks, keep=10, limit=20)
        assert done.is_success

    async def test_a_command_that_is_not_there(self) -> None:
        """127, as a shell says."""
        done = await run_to_end(self.reactor, self.program("/no/such/program"), feed=iter(()), keep=99, limit=20)
        assert done.status == 127

    async def test_the_environment_is_small(self) -> None:
        """Nothing of ours is handed on."""
        done = await run_to_end(self.reactor, self.program("/usr/bin/env"), feed=iter(()), keep=9999, limit=20)
        names = {line.partition("=")[0] for line in done.output.decode().splitlines()}
        assert names == {"PATH", "LANG", "HOME", "USER", "LOGNAME"}

    async def test_a_time_limit_ends_the_whole_group(self) -> None:
        """Children that ignore SIGTERM too, once the leader is gone."""
        script = "sh -c 'trap \"\" TERM; echo $$; sleep 60; sleep 60' & wait"
        run = Run(self.reactor, keep=100, limit=0.5)
        done = await run.start(self.program("/bin/sh", "-c", script))
        assert done.overdue == 0.5
        child = int(done.output)
        for _ in range(100):
            if not _runs(child):
                return
            await deferLater(self.reactor, 0.02)
        raise AssertionError("the child runs on")

    async def test_cancelling_ends_the_program(self) -> None:
        """And whoever waits hears of it."""
        run = Run(self.reactor)
        ended = run.start(self.program("/bin/sleep", "60"))
        pid = run.transport.pid
        await deferLater(self.reactor, 0.1)
        ended.cancel()
        with self.assertRaises(CancelledError):
            await ended
        while _runs(pid):
            await deferLater(self.reactor, 0.02)
        await deferLater(self.reactor, 0.05)

    async def test_a_child_left_behind_holds_nobody(self) -> None:
        """Its open output is let go."""
        began = time.monotonic()
        program = self.program("/bin/sh", "-c", "setsid sleep 8 & echo done")
        done = await run_to_end(self.reactor, program, feed=iter(()), keep=10, limit=20)
        assert done.output == b"done\n"
        assert time.monotonic() - began < 5


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
