"""A whole run: every scenario on every server that can do it, and the tables."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from attrs import define, evolve, field

from tests.bench import flames as flame_graphs
from tests.bench import table
from tests.bench.hops import NextHops
from tests.bench.idle import Idle, measure_idle, raise_limits
from tests.bench.load import Load, mailboxes
from tests.bench.measure import Round, measure
from tests.bench.million import measure_queue
from tests.bench.peers.mailnode import Mailnode
from tests.bench.peers.postfix import Postfix
from tests.bench.scenarios import MAILBOXES, SCENARIOS, SESSIONS, Scenario
from tests.bench.server import Server
from tests.bench.site import Site
from tests.bench.startup import measure_startup

T = TypeVar("T")

KINDS = ("idle", "startup", "queue")
"""What is measured besides the scenarios under load."""

_FAILURES = (OSError, AssertionError, subprocess.SubprocessError)
"""What a server that does not do its work looks like from here."""


@define
class Bench:
    """One run of the bench."""

    lineup: Sequence[type[Server]]
    folder: Path
    software: Path
    rounds: int
    is_quick: bool
    messages: int = 0
    """In a round, instead of each scenario's own number."""
    flames: Path | None = None
    """Where flame graphs of mailnode go."""
    _troubles: list[str] = field(factory=list)

    def run(self, names: Collection[str]) -> None:
        """Measure, and print the tables as they come to be."""
        raise_limits(10_000)
        loads = [scenario for scenario in SCENARIOS if scenario.name in names]
        if loads:
            self._say(*table.heading())
        for scenario in loads:
            results = self._under_load(scenario)
            self._say(*table.rates(scenario.says, results, Mailnode.name, Postfix.name))
        for name, kind in zip(KINDS, (self._idle, self._startup, self._queue), strict=True):
            if name in names:
                self._say("", *kind())
        self._say("", *self._notes())

    def _say(self, *lines: str) -> None:
        print("\n".join(lines), flush=True)

    # --- the kinds of measurement -----------------------------------------------------------------------------------

    def _under_load(self, scenario: Scenario) -> Mapping[str, Sequence[Round]]:
        results: dict[str, list[Round]] = {}
        with (
            self._site(scenario.name) as (hops, servers),
            self._running(one for one in servers if scenario.kind in one.does) as running,
        ):
            load = self._load(scenario, hops)
            started = [one for one in running if self._try(one, scenario.name, partial(_round, _warm(load), one))]
            for _ in range(self.rounds):
                for server in list(started):
                    one = self._try(server, scenario.name, partial(_round, load, server))
                    if one is None:
                        started.remove(server)
                    else:
                        results.setdefault(server.name, []).append(one)
            self._draw(load, started)
        return results

    def _load(self, scenario: Scenario, hops: NextHops) -> Load:
        messages = self.messages or (scenario.quick if self.is_quick else scenario.messages)
        return Load(scenario, hops, messages, 60.0 if self.is_quick else 300.0)

    def _idle(self) -> Iterable[str]:
        results: dict[str, Idle] = {}
        with self._site("idle") as (_, servers):
            for server in filter(_speaks_smtp, servers):
                wanted = min(server.most_sessions, 1000 if self.is_quick else 10_000)
                with self._running([server]) as running:
                    one = self._try(server, "idle", partial(measure_idle, server, wanted)) if running else None
                if one is not None:
                    results[server.name] = one
        return table.idle(results)

    def _startup(self) -> Iterable[str]:
        results: dict[str, list[float]] = {}
        with self._site("startup") as (_, servers):
            able = [
                one for one in servers if _speaks_smtp(one) and self._try(one, "startup", partial(_configured, one))
            ]
            for _ in range(max(3, self.rounds)):
                for server in list(able):
                    seconds = self._try(server, "startup", partial(measure_startup, server))
                    if seconds is None:
                        able.remove(server)
                    else:
                        results.setdefault(server.name, []).append(seconds)
        return table.startup(results)

    def _queue(self) -> Iterable[str]:
        recipients = 100_000 if self.is_quick else 1_000_000
        scenario = next(one for one in SCENARIOS if one.kind == "relay")
        with (
            self._site("queue") as (hops, servers),
            self._running([one for one in servers if "queue" in one.does][:1]) as running,
        ):
            load = self._load(scenario, hops)
            for server in running:
                one = self._try(server, "queue", partial(measure_queue, server, hops, load, recipients, self.rounds))
                return table.queue(server.name, one) if one else ()
        return ()

    # --- what they have in common -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _site(self, name: str) -> Iterator[tuple[NextHops, Sequence[Server]]]:
        """Give next hops that run and servers that do not run yet, in a folder of their own.

        It stays until all is over: ext4 passes by inodes that were deleted within the last minutes, one at a time, and
        whoever makes files in their neighbourhood pays for it with up to half a millisecond each.
        """
        folder = self.folder / name
        folder.mkdir()
        with NextHops(folder) as hops:
            site = Site(folder, mailboxes(), hops.addresses, hops.port, hops.resolv_conf, self.software)
            yield hops, [one(evolve(site, folder=folder / one.name)) for one in self.lineup]

    @contextlib.contextmanager
    def _running(self, servers: Iterable[Server]) -> Iterator[list[Server]]:
        """Start servers, give those that greet, and stop all: side by side, since some wait for themselves."""
        launched = [one for one in servers if self._try(one, "start", partial(_launched, one))]
        try:
            yield [one for one in launched if self._try(one, "start", partial(_awaited, one))]
        finally:
            with ThreadPoolExecutor(len(launched) or 1) as stoppers:
                list(stoppers.map(lambda one: one.stop(), launched))

    def _try(self, server: Server, what: str, work: Callable[[], T]) -> T | None:
        """Do ``work``; when the server cannot do it, note why and give nothing."""
        try:
            return work()
        except _FAILURES as trouble:
            self._troubles.append(f"{server.name} did not do {what}: {' '.join(str(trouble).split())[:300]}")
            print(self._troubles[-1], file=sys.stderr)
            return None

    def _draw(self, load: Load, servers: Sequence[Server]) -> None:
        """Run one more round of mailnode under the profiler, which costs speed and therefore is not measured."""
        if self.flames is None:
            return
        self.flames.mkdir(parents=True, exist_ok=True)
        for server in servers:
            if isinstance(server, Mailnode):
                graph = self.flames / f"{load.scenario.name}-{server.name}.svg"
                print(flame_graphs.record(server.pid, graph, partial(load.run, server)), file=sys.stderr)

    def _notes(self) -> Iterable[str]:
        yield f"Machine: {table.machine(self.folder)}."
        rounds = "one round" if self.rounds == 1 else f"{self.rounds} rounds"
        yield f"Median (min .. max) of {rounds}, servers in turn; {SESSIONS} sessions, {MAILBOXES} mailboxes, memory as PSS."
        yield from (f"{one.name}: {one.says}." for one in self.lineup if one.says)


def _round(load: Load, server: Server) -> Round:
    return measure(server.pid, load.messages, partial(load.run, server))


def _warm(load: Load) -> Load:
    """Give the round that does not count: small messages, at least one for each mailbox."""
    small = evolve(load.scenario, size=min(load.scenario.size, 4096))
    least = SESSIONS if small.kind.startswith("relay") else MAILBOXES
    return evolve(load, scenario=small, messages=max(least, load.messages // 4))


def _configured(server: Server) -> bool:
    server.configure()
    return True


def _launched(server: Server) -> bool:
    server.configure()
    server.launch()
    return True


def _awaited(server: Server) -> bool:
    server.wait()
    return True


def _speaks_smtp(server: Server) -> bool:
    return server.port != 0
