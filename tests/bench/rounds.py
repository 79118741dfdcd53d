"""Rounds of messages: every scenario on every server that can do it, in turn."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import define, evolve, field

from tests.bench import flames as flame_graphs
from tests.bench.complete import Ledger
from tests.bench.hops import NextHops
from tests.bench.load import Load
from tests.bench.measure import Round, measure
from tests.bench.peers.mailnode import Mailnode
from tests.bench.scenarios import (
    MAILBOXES,
    QUICK_MAILBOXES,
    QUICK_ROUND_SECONDS,
    ROUND_SECONDS,
    SESSIONS,
    Scenario,
)
from tests.bench.server import Server
from tests.bench.stage import Stage

_DRAWN_ROUNDS = 3
"""What a profiler sees in one is too little to go by."""

Results = Mapping[str, Sequence[Round]]
"""The rounds of each server."""


@define
class Rounds:
    """Measures under load."""

    stage: Stage
    rounds: int
    is_quick: bool
    messages: int = 0
    """In a round, instead of each scenario's own number."""
    flames: Path | None = None
    """Where flame graphs of mailnode go."""
    _ledger: Ledger = field(factory=Ledger)

    def run(self, scenarios: Sequence[Scenario]) -> Iterator[tuple[Scenario, Results]]:
        """Measure each; every scenario has servers of its own, but for a quick run, where they stay for the next one."""
        for group in self._groups(scenarios):
            first = group[0]
            self._ledger = Ledger()
            kinds = {scenario.kind for scenario in group}
            with (
                self.stage.site(first.name, has_tls=first.has_tls) as (hops, servers),
                self.stage.running(one for one in servers if one.does & kinds) as running,
            ):
                failed: set[str] = set()
                for scenario in group:
                    able = [one for one in running if scenario.kind in one.does]
                    yield scenario, self._measure(scenario, hops, able, failed)
                for server in running:
                    if server.name not in failed:  # what failed is known to be incomplete
                        self.stage.attempt(server, "whole delivery", partial(self._ledger.check, server))

    def _groups(self, scenarios: Sequence[Scenario]) -> Sequence[Sequence[Scenario]]:
        if not self.is_quick:
            return [[scenario] for scenario in scenarios]
        groups = [[one for one in scenarios if one.has_tls is has_tls] for has_tls in (False, True)]
        return [group for group in groups if group]

    def _measure(self, scenario: Scenario, hops: NextHops, servers: Sequence[Server], failed: set[str]) -> Results:
        results: dict[str, list[Round]] = {}
        loads = {}
        for server in servers:
            warm = self._attempt(self._warm_up(scenario, hops), server, failed)
            if warm is not None:
                loads[server] = self._load(scenario, hops, warm.rate)
        for _ in range(self.rounds):
            for server, load in list(loads.items()):
                one = self._attempt(load, server, failed)
                if one is None:
                    del loads[server]
                else:
                    results.setdefault(server.name, []).append(one)
        for server, load in loads.items():
            self._draw(load, server, failed)
        return results

    def _attempt(self, load: Load, server: Server, failed: set[str]) -> Round | None:
        one = self.stage.attempt(server, load.scenario.name, partial(_round, load, server))
        if one is None:
            failed.add(server.name)
        else:
            self._note(load, server)
        return one

    def _note(self, load: Load, server: Server) -> None:
        if not load.scenario.kind.startswith("relay"):
            self._ledger.sent(server, load.messages, load.scenario.size)

    def _load(self, scenario: Scenario, hops: NextHops, rate: float) -> Load:
        """Give the load of one round for a server that was seen to do so many (small) messages a second."""
        most = scenario.quick if self.is_quick else scenario.messages
        fitting = int(rate * (QUICK_ROUND_SECONDS if self.is_quick else ROUND_SECONDS))
        return self._as(scenario, hops, self.messages or max(min(most, SESSIONS), min(most, fitting)))

    def _warm_up(self, scenario: Scenario, hops: NextHops) -> Load:
        """Give the round that does not count: small messages, at least one for each mailbox."""
        small = evolve(scenario, size=min(scenario.size, 4096))
        least = SESSIONS if small.kind.startswith("relay") else self._mailboxes
        part = scenario.quick // 5 if self.is_quick else (self.messages or scenario.messages) // 8
        return self._as(small, hops, max(least, part))

    def _as(self, scenario: Scenario, hops: NextHops, messages: int) -> Load:
        return Load(scenario, hops, messages, 60.0 if self.is_quick else 300.0, self._mailboxes)

    @property
    def _mailboxes(self) -> int:
        return QUICK_MAILBOXES if self.is_quick else MAILBOXES

    def _draw(self, load: Load, server: Server, failed: set[str]) -> None:
        """Run more rounds of mailnode under the profiler, which costs speed: therefore they are not measured."""
        if self.flames is None or not isinstance(server, Mailnode):
            return
        self.flames.mkdir(parents=True, exist_ok=True)
        graph = self.flames / f"{load.scenario.name}-{server.name}.svg"
        drawn = self.stage.attempt(
            server, "a profile", partial(flame_graphs.record, server.pid, graph, partial(self._drawn, load, server))
        )
        if drawn is None:
            failed.add(server.name)
        else:
            print(drawn, file=sys.stderr)

    def _drawn(self, load: Load, server: Server) -> None:
        for _ in range(1 if self.is_quick else _DRAWN_ROUNDS):
            load.run(server)
            self._note(load, server)


def _round(load: Load, server: Server) -> Round:
    with load.ready(server) as go:
        return measure(server.pid, load.messages, go)
