"""A whole run: everything that is measured, and the tables."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path

from attrs import define, field

from tests.bench import table
from tests.bench.idle import Idle, measure_idle, raise_limits
from tests.bench.load import Load
from tests.bench.million import measure_queue
from tests.bench.neighbors import Neighbors
from tests.bench.peers.mailnode import Mailnode
from tests.bench.peers.postfix import Postfix
from tests.bench.rounds import Rounds
from tests.bench.scenarios import MAILBOXES, QUICK_MAILBOXES, SCENARIOS, SESSIONS
from tests.bench.server import Server
from tests.bench.stage import Stage, configured
from tests.bench.startup import measure_startup

KINDS = ("idle", "startup", "queue")
"""What is measured besides the scenarios under load."""


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
    _stage: Stage = field(init=False)
    _neighbors: Neighbors = field(factory=Neighbors)

    def __attrs_post_init__(self) -> None:
        """Take the stage."""
        self._stage = Stage(self.lineup, self.folder, self.software)

    def run(self, names: Collection[str]) -> None:
        """Measure, and print the tables as they come to be."""
        raise_limits(10_000)
        loads = [scenario for scenario in SCENARIOS if scenario.name in names]
        if loads:
            self._say(*table.heading())
        rounds = Rounds(self._stage, self.rounds, self.is_quick, self.messages, self.flames)
        for scenario, results in rounds.run(loads):
            self._say(*table.rates(scenario.says, results, Mailnode.name, Postfix.name))
        for name, kind in zip(KINDS, (self._idle, self._startup, self._queue), strict=True):
            if name in names:
                self._say("", *kind())
        self._say("", *self._notes())

    def _say(self, *lines: str) -> None:
        print("\n".join(lines), flush=True)

    def _idle(self) -> Iterable[str]:
        results: dict[str, Idle] = {}
        with self._stage.site("idle") as (_, servers), self._stage.running(filter(_speaks_smtp, servers)) as running:
            for server in running:
                wanted = min(server.most_sessions, 1000 if self.is_quick else 10_000)
                one = self._stage.attempt(server, "idle", partial(measure_idle, server, wanted))
                if one is not None:
                    results[server.name] = one
        return table.idle(results)

    def _startup(self) -> Iterable[str]:
        results: dict[str, list[float]] = {}
        with self._stage.site("startup") as (_, servers):
            smtp = filter(_speaks_smtp, servers)
            able = [one for one in smtp if self._stage.attempt(one, "startup", partial(configured, one))]
            for _ in range(1 if self.is_quick else max(3, self.rounds)):
                for server in list(able):
                    seconds = self._stage.attempt(server, "startup", partial(measure_startup, server))
                    if seconds is None:
                        able.remove(server)
                    else:
                        results.setdefault(server.name, []).append(seconds)
        return table.startup(results)

    def _queue(self) -> Iterable[str]:
        recipients = 100_000 if self.is_quick else 1_000_000
        scenario = next(one for one in SCENARIOS if one.kind == "relay")
        messages = self.messages or (scenario.quick if self.is_quick else scenario.messages)
        with (
            self._stage.site("queue") as (hops, servers),
            self._stage.running([one for one in servers if "queue" in one.does][:1]) as running,
        ):
            load = Load(scenario, hops, messages, 60.0 if self.is_quick else 300.0)
            for server in running:
                work = partial(measure_queue, server, hops, load, recipients, self.rounds)
                one = self._stage.attempt(server, "queue", work)
                return table.queue(server.name, one) if one else ()
        return ()

    def _notes(self) -> Iterable[str]:
        rounds = "one round" if self.rounds == 1 else f"{self.rounds} rounds"
        boxes = QUICK_MAILBOXES if self.is_quick else MAILBOXES
        yield f"Machine: {table.machine(self.folder)}; others' work took {self._neighbors.share:.0%} of it meanwhile."
        yield f"Versions: {', '.join(f'{one.name} {one.version(self.software)}' for one in self.lineup)}."
        yield f"Median (min .. max) of {rounds}, servers in turn; {SESSIONS} sessions, {boxes} mailboxes, memory as PSS."
        yield from (f"{one.name}: {one.says}." for one in self.lineup if one.says)
        yield from (f"{trouble}." for trouble in self._stage.troubles)


def _speaks_smtp(server: Server) -> bool:
    return server.port != 0
