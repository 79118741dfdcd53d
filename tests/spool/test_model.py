"""The spool on disk against the one in memory: whatever is done to both, they answer the same."""

import os
import tempfile
from pathlib import Path
from typing import Any

from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mailnode.interfaces import Selection, Settlement
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.message import Entry
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane
from mailnode.spool.memory import MemorySpool
from mailnode.spool.sqlite import SqliteSpool
from tests.contracts.spool import ANN, NORTH, SENDER, SOUTH, START, new_entry
from tests.kit.results import now
from tests.kit.threads import ThreadClock

EVERY_LANE = [NORTH, SOUTH, Lane("maildir"), Lane("lmtp", "[192.0.2.7]:24")]
LANES = st.sampled_from(EVERY_LANE)
ADDRESSES = st.sampled_from([ANN, SENDER, Mailbox("x", "EXAMPLE.org"), Mailbox("y", "other.example")])
SELECTIONS = st.one_of(
    st.just(Selection()),
    st.builds(Selection, queue_id=st.integers(0, 12).map(lambda number: f"q{number}")),
    st.builds(Selection, domain=st.sampled_from(["example.org", "other.example", "nowhere.example"])),
    st.builds(Selection, sender=st.sampled_from(["<>", "bob@example.net"])),
    st.builds(Selection, older_than=st.integers(0, 300).map(lambda later: START + later)),
)
FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""A disk in memory, where there is one: what is compared here does not depend on fsync."""
LATER = st.integers(0, 200)


class Twins(RuleBasedStateMachine):
    """Do the same to both; keys differ, so recipients are compared by their place in the order of acceptance."""

    @initialize()
    def begin(self) -> None:
        """Open both, empty."""
        self.temporary = tempfile.TemporaryDirectory(dir=FOLDER)
        self.clock = ThreadClock(START)
        self.memory = MemorySpool(self.clock)
        self.disk = self._open()
        self.number = 0
        self.keys: list[tuple[int, int]] = []

    def _open(self) -> SqliteSpool:
        return SqliteSpool(Path(self.temporary.name), owner="one", reactor=self.clock)

    def teardown(self) -> None:
        """Close the files."""
        if hasattr(self, "disk"):
            self.clock.now(self.disk.close())
            self.temporary.cleanup()

    def _both(self, ask: Any) -> tuple[Any, Any]:
        return now(ask(self.memory)), self.clock.now(ask(self.disk))

    def _same(self, ask: Any) -> Any:
        in_memory, on_disk = self._both(ask)
        assert in_memory == on_disk
        return in_memory

    def _plain(self, entries: list[Entry], side: int) -> list[Entry]:
        """Put places for keys, and sort what the seam leaves open: entries, and recipients that are due together."""
        places = {pair[side]: place for place, pair in enumerate(self.keys)}
        plain = [
            evolve(
                entry,
                recipients=tuple(
                    sorted((evolve(one, key=places[one.key]) for one in entry.recipients), key=lambda one: one.key)
                ),
            )
            for entry in entries
        ]
        return sorted(plain, key=lambda entry: entry.message.queue_id)

    @rule(
        where=st.lists(st.tuples(ADDRESSES, LANES), min_size=1, max_size=3),
        later=LATER,
        leased=st.booleans(),
        sender=st.sampled_from([NULL, SENDER]),
    )
    def accept(self, where: list[tuple[Mailbox, Lane]], later: int, leased: bool, sender: Mailbox) -> None:
        """Accept a message, for later or leased."""
        moment = self.clock.seconds()
        entry = new_entry(f"q{self.number}", *where, sender=sender, arrived=moment)
        self.number += 1
        lease_until = moment + later + 1 if leased else 0.0
        one, other = self._both(lambda spool: spool.accept(entry, due=moment + later, lease_until=lease_until))
        self.keys += [(a.key, b.key) for a, b in zip(one.recipients, other.recipients, strict=True)]
        assert self._plain([one], 0) == self._plain([other], 1)

    @rule(per_lane=st.integers(1, 4), full=st.sets(LANES, max_size=1), lease=st.integers(1, 200))
    def claim(self, per_lane: int, full: set[Lane], lease: int) -> None:
        """Claim of every lane."""
        moment = self.clock.seconds()
        one, other = self._both(
            lambda spool: spool.claim(
                now=moment, lease_until=moment + lease, limit=1000, per_lane=per_lane, full=frozenset(full)
            )
        )
        assert self._plain(one, 0) == self._plain(other, 1)

    @rule(limit=st.integers(1, 3), lane=st.sampled_from(EVERY_LANE))
    def claim_some(self, limit: int, lane: Lane) -> None:
        """Claim few of one lane: only within a lane does the seam say which come first."""
        moment = self.clock.seconds()
        full = frozenset(EVERY_LANE) - {lane}
        one, other = self._both(
            lambda spool: spool.claim(now=moment, lease_until=moment + 9, limit=limit, per_lane=99, full=full)
        )
        assert self._plain(one, 0) == self._plain(other, 1)

    @rule(
        data=st.data(),
        done=st.booleans(),
        later=LATER,
        counts=st.booleans(),
        warned=st.booleans(),
        last=st.sampled_from([None, Reply.of(451, "4.3.0", "later"), Reply(421, ("a", ""))]),
        lane=st.none() | LANES,
        address=st.none() | ADDRESSES,
        notice=st.booleans(),
    )
    def settle(self, data: st.DataObject, notice: bool, later: int, **how: Any) -> None:
        """Settle any recipients, known or not, perhaps with a notice."""
        chosen = data.draw(st.lists(st.sampled_from(self.keys), max_size=4, unique=True)) if self.keys else []
        moment = self.clock.seconds()
        notices = []
        if notice:
            notices = [(new_entry(f"q{self.number}", (SENDER, SOUTH), sender=NULL, arrived=moment), moment + later)]
            self.number += 1
        how["forward_path"] = how.pop("address")

        def ask(spool: Any, side: int) -> Any:
            settlements = [Settlement(pair[side], due=moment + later, last_remote="mx", **how) for pair in chosen]
            return spool.settle(settlements, notices)

        assert sorted(now(ask(self.memory, 0))) == sorted(self.clock.now(ask(self.disk, 1)))
        if notice:
            ours, theirs = self._both(lambda spool: spool.listing(Selection(queue_id=f"q{self.number - 1}"), limit=1))
            self.keys += [
                (one.recipients[0].key, other.recipients[0].key) for one, other in zip(ours, theirs, strict=True)
            ]

    @rule(lane=LANES, later=st.integers(-50, 200))
    def postpone(self, lane: Lane, later: int) -> None:
        """Put a lane off."""
        self._same(lambda spool: spool.postpone(lane, self.clock.seconds() + later))

    @rule(due_by=LATER, lease=LATER)
    def retime(self, due_by: int, lease: int) -> None:
        """Find the clock set back."""
        moment = self.clock.seconds()
        self._same(lambda spool: spool.retime(now=moment, due_by=moment + due_by, lease_until=moment + lease))

    @rule(selection=SELECTIONS, name=st.sampled_from(["hold", "release", "remove"]))
    def steer(self, selection: Selection, name: str) -> None:
        """Do what an operator does."""
        self._same(lambda spool: getattr(spool, name)(selection))

    @rule(selection=SELECTIONS)
    def retry(self, selection: Selection) -> None:
        """Retry by hand."""
        self._same(lambda spool: spool.retry(selection, self.clock.seconds()))

    @rule(later=st.integers(1, 150))
    def wait(self, later: int) -> None:
        """Let time pass."""
        self.clock.advance(later)

    @rule()
    def restart(self) -> None:
        """Close and start again."""
        self.clock.now(self.disk.close())
        self.disk = self._open()
        self._same(lambda spool: spool.recover())

    @rule(selection=SELECTIONS)
    def list_them(self, selection: Selection) -> None:
        """Compare every field of every recipient that is meant, in the order of the listing."""
        one, other = self._both(lambda spool: spool.listing(selection, limit=1000))
        assert [entry.message.queue_id for entry in one] == [entry.message.queue_id for entry in other]
        assert self._plain(one, 0) == self._plain(other, 1)

    @invariant()
    def counts_and_times_agree(self) -> None:
        """Count the same messages and recipients and name the same next moment, always."""
        if hasattr(self, "disk"):
            self._same(lambda spool: spool.count())
            due = self._both(lambda spool: spool.next_due())
            # How long ago something has been due is nothing that anybody asks for.
            in_memory, on_disk = (moment if moment is None else max(moment, self.clock.seconds()) for moment in due)
            assert in_memory == on_disk


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
