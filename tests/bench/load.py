"""Load from Postfix's smtp-source, and the smtp-sink that relayed mail flows into."""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.scenarios import DOMAIN, MAILBOXES, SESSIONS, Scenario
from tests.kit.ports import free_port, greets
from tests.kit.programs import find
from tests.kit.waiting import until

ROUND_SECONDS = 300.0
"""A round that takes longer has failed."""


def send(scenario: Scenario, port: int, round_name: str, messages: int) -> None:
    """Send one round's ``messages``, and return when the server has acknowledged the last."""
    if scenario.relays:
        _source(scenario, port, f"{round_name}@sink.test", messages, SESSIONS)
        return
    shares = [messages // MAILBOXES + (number < messages % MAILBOXES) for number in range(MAILBOXES)]

    def fill(number: int) -> None:
        if shares[number]:
            _source(scenario, port, f"{mailbox(round_name, number)}@{DOMAIN}", shares[number], 1)

    with ThreadPoolExecutor(SESSIONS) as sessions:
        list(sessions.map(fill, range(MAILBOXES)))


def mailbox(round_name: str, number: int) -> str:
    """Name a mailbox of a round; each round has its own, so that counting what arrived stays cheap."""
    return f"{round_name}u{number:02}"


def _source(scenario: Scenario, port: int, to: str, messages: int, sessions: int) -> None:
    subprocess.run(
        [
            find("smtp-source") or "smtp-source", "-s", str(sessions), "-m", str(messages), "-l", str(scenario.size),
            "-f", f"sender@{DOMAIN}", "-t", to, *(["-d"] if scenario.keeps_connection else []), f"inet:127.0.0.1:{port}",
        ],
        check=True, timeout=ROUND_SECONDS,
    )  # fmt: skip


def wait_for_maildirs(root: Path, round_name: str, count: int) -> None:
    """Wait until a round's mailboxes hold ``count`` messages together."""
    folders = [root / mailbox(round_name, number) / "new" for number in range(MAILBOXES)]

    def arrived() -> int:
        return sum(len(os.listdir(folder)) for folder in folders if folder.is_dir())

    until(lambda: arrived() >= count, ROUND_SECONDS, lambda: f"{arrived()} of {count} messages in {root}")


class Sink:
    """A running smtp-sink that counts the messages it takes (and drops)."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._counters = folder / "sink.counters"
        with self._counters.open("wb") as counters:
            self._process = subprocess.Popen(
                [find("smtp-sink") or "smtp-sink", "-c", "-u", "nobody", f"127.0.0.1:{self.port}", "1000"],
                stdout=counters,
            )
        until(lambda: greets(self.port), 10, "smtp-sink does not greet")

    @property
    def messages(self) -> int:
        """Count the messages taken so far."""
        with self._counters.open("rb") as counters:
            counters.seek(max(0, self._counters.stat().st_size - 200))
            found = re.findall(rb"mesg=(\d+)", counters.read())
        return int(found[-1]) if found else 0

    def wait_for(self, count: int) -> None:
        """Wait until it has taken ``count`` messages in its life."""
        until(
            lambda: self.messages >= count, ROUND_SECONDS, lambda: f"{self.messages} of {count} messages at smtp-sink"
        )

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def now() -> float:
    """Give the seconds of a clock that only goes forward."""
    return time.monotonic()
