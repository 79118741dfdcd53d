"""The watch: looks often, reads seldom, and never gives a good certificate away for a bad one."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from mailnode.certificates.restocking import read_stock, stamps_of
from mailnode.certificates.showcase import Showcase
from mailnode.certificates.stock import Place, Source, Stock
from mailnode.certificates.watch import LOOK_EVERY, Watch
from tests.kit.pki import authority
from tests.kit.results import InlineDisk, now


class Stage:
    """A watch over one certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.source = Source(str(folder / "one.pem"), str(folder / "one.key"))
        self.renew("one.example.org")
        self.places = (Place("mx", (self.source,)),)
        self.showcase = Showcase(read_stock(self.places, Stock()).stock, self.clock)
        self.told: list[Stock] = []
        self.watch = Watch(
            self.showcase, disk=InlineDisk(), clock=self.clock, changed=self.told.append,
            baseline=stamps_of(self.places),
        )  # fmt: skip
        self.watch.start()

    def renew(self, name: str) -> None:
        """Write another certificate."""
        authority().sign(name).write(self.folder, "one")

    def look(self) -> None:
        """Let it look once."""
        self.clock.advance(LOOK_EVERY)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Give a watch that has begun."""
    return Stage(tmp_path)


def test_a_changed_pair_is_taken_when_it_is_quiet(stage: Stage) -> None:
    """At the second look that finds it as it is, and once."""
    stage.look()
    stage.renew("two.example.org")
    stage.look()
    assert not stage.told
    stage.look()
    assert stage.told == [stage.showcase.stock]
    stage.look()
    stage.look()
    assert len(stage.told) == 1


def test_a_faulty_pair_is_told_once_and_the_old_one_stays(stage: Stage) -> None:
    """The log names the file; a later good one is taken."""
    before = stage.showcase.stock
    Path(stage.source.certificate).write_bytes(b"half")
    with capturedLogs() as logged:
        for _ in range(5):
            stage.look()
    assert stage.showcase.stock == before
    assert not stage.told
    assert [event["file"] for event in logged if event.get("event") == "certificate"] == [stage.source.certificate]
    stage.renew("three.example.org")
    stage.look()
    stage.look()
    assert len(stage.told) == 1


def test_a_hangup_reads_at_once(stage: Stage) -> None:
    """Without a second look, and for places that are new."""
    other = Source(*map(str, authority().sign("other.example.org").write(stage.folder, "other")))
    stage.watch.read_now((Place("mx", (stage.source, other)),))
    assert [pair.source for pair in stage.told[0].pairs_of(stage.told[0].places[0])] == [stage.source, other]


def test_a_stopped_watch_looks_no_more(stage: Stage) -> None:
    """Nothing is left in the timetable."""
    now(stage.watch.stop())
    assert not stage.clock.getDelayedCalls()
