"""Tests of what lists must not forget."""

from pathlib import Path

import pytest

from mailnode.shipped.mailing_list import store as room
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.shipped.mailing_list.store import BY_MAIL, Store
from mailnode.testing.api import now
from mailnode.testing.node import InlineDisk

ANN = "Ann@home.example"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Open a store."""
    return Store(tmp_path / "lists.db", InlineDisk())


def test_a_number_is_never_given_twice(store: Store) -> None:
    """A bounce that comes late must not find another member; addresses are the same in either case."""
    assert now(store.join("news", ANN, BY_MAIL))
    assert not now(store.join("news", ANN.lower(), BY_MAIL))
    assert now(store.leave("news", ANN.upper())) == ANN
    assert now(store.leave("news", ANN)) == ""
    now(store.join("news", "bob@home.example", BY_MAIL))
    assert [one.number for one in now(store.active("news", 0, 10))] == [2]
    assert now(store.leave("talk", 2)) == ""


def test_everything_is_there_for_another_process(store: Store, tmp_path: Path) -> None:
    """The file is one for all workers, and only its owner may read it."""
    now(store.join("news", ANN, BY_MAIL))
    now(store.begin("key", 1.0, lambda: (5, 6)))
    now(store.reached("key", 7, [1]))
    other = Store(tmp_path / "lists.db", InlineDisk())
    assert now(other.begin("key", 2.0, lambda: (0, 0))) == room.Progress(5, 6, is_archived=False, reached=7)
    assert [one.address for one in now(other.late("key", 0, 10))] == [ANN]
    assert (tmp_path / "lists.db").stat().st_mode & 0o777 == 0o600
    now(other.close())
    now(store.close())


def test_of_many_bounces_one_counts_and_scores_are_forgiven(store: Store) -> None:
    """Once in ``bounce_every``; half of it is gone after the half-life."""
    rules = ListSettings(bounce_threshold=2.0, bounce_every=10.0, bounce_half_life=100.0)  # type: ignore[arg-type]
    now(store.join("news", ANN, BY_MAIL))
    assert now(store.bounced("news", 1, 1.0, 1000.0, rules)) is None
    assert now(store.bounced("news", 1, 9.0, 1005.0, rules)) is None
    assert now(store.bounced("news", 1, 1.0, 1100.0, rules)) is None
    assert now(store.who("news", 9))[0].score == 1.5
    stopped = now(store.bounced("news", 1, 1.0, 1110.0, rules))
    assert stopped is not None
    assert stopped.state == room.DISABLED
    assert now(store.bounced("news", 1, 9.0, 2000.0, rules)) is None
    assert now(store.active("news", 0, 9)) == []


def test_posts_that_wait_are_bounded_and_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of strangers' posts fills no disk; what nobody decides on is forgotten; one message is held once."""
    monkeypatch.setattr(room, "MOST_HELD", 2)
    post = ("eve@home.example", "", b"x")
    numbers = [now(store.hold("news", key, post, 0.0, 100.0)) for key in ("a", "b", "b", "c")]
    assert numbers == [1, 2, 2, 0]
    assert now(store.held("talk", 1)) is None
    assert now(store.hold("news", "c", post, 101.0, 200.0)) == 3
    assert now(store.held("news", 1)) is None
    now(store.decided(3))
    assert now(store.held("news", 3)) is None
