"""The customer's side: when it calls, what it says, and what it does when nobody answers."""

from random import Random
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailnode.couriers.smtp_security import Unavailable
from mailnode.mail.quantity import Seconds
from mailnode.mail.reply import Reply
from mailnode.roles.fetch_settings import FetchSettings
from mailnode.roles.fetching import JITTER, MOST_DOUBLINGS, Fetching
from mailnode.smtp.clientevents import Stage

HOUR = Seconds(3600)
ATRN = FetchSettings(host="isp.example", domains=("Branch.Example", "b.example"), username="branch", interval=HOUR)
ETRN = FetchSettings(name="isp", host="isp.example", port=25, method="etrn", domains=("a.example", "@b.example"))


class Transport:
    """Where the provider is."""

    def getPeer(self) -> object:
        """Give its address."""
        return type("Address", (), {"host": "::ffff:192.0.2.1"})()


class Session:
    """A session that is answered as the test says."""

    host = "isp.example"
    transport = Transport()

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.said: list[str] = []
        self.has_left = False
        self.successor: Any = None

    async def ask(self, stage: Stage, line: bytes) -> Reply:
        """Answer."""
        self.said.append(line.decode().removesuffix("\r\n"))
        answer = self.answers.get(line.decode()[:4], "500 what")
        return Reply(int(answer[:3]), (answer[4:],))

    def leave(self) -> None:
        """Remember."""
        self.has_left = True

    def abort(self) -> None:
        """Remember."""
        self.has_left = True

    def give_way(self, successor: object) -> None:
        """Remember."""
        self.successor = successor


class Provider:
    """A caller, its provider, and what is received."""

    def __init__(self, settings: FetchSettings = ATRN, **answers: str) -> None:
        self.clock = Clock()
        self.answers = answers
        self.sessions: list[Session] = []
        self.trouble: Reply | None = None
        self.received: list[tuple[str, Deferred[int]]] = []
        caller: Any = self
        self.role = Fetching(settings, caller, self._serve, self.clock, Random(1))

    async def call(self, next_hop: str) -> Session:
        """Let it reach the provider."""
        assert next_hop == f"[isp.example]:{self.role.settings.port}"
        if self.trouble is not None:
            raise Unavailable(self.trouble, is_ours=True, is_reached=False)
        self.sessions.append(Session(self.answers))
        return self.sessions[-1]

    async def close(self) -> None:
        """Close the caller."""

    def _serve(self, address: str) -> tuple[Any, Deferred[int]]:
        self.received.append((address, Deferred()))
        return Protocol(), self.received[-1][1]

    def asked(self) -> list[Any]:
        """Call now; the list gets what comes of it."""
        heard: list[Any] = []
        Deferred.fromCoroutine(self.role.call()).addBoth(heard.append)
        self.clock.advance(0)
        return heard


@pytest.mark.rfc("2645", "5.2.1")
def test_the_connection_is_turned_around_and_received() -> None:
    """ATRN names the domains; with 250 the provider is served, and the call lasts until it has gone."""
    stage = Provider(ATRN="250 turning")
    heard = stage.asked()
    (session,) = stage.sessions
    assert session.said == ["ATRN branch.example,b.example"]
    ((address, ended),) = stage.received
    assert address == "192.0.2.1"
    assert session.successor is not None
    assert not heard
    assert stage.asked() == []
    assert len(stage.sessions) == 1
    ended.callback(2)
    stage.clock.advance(0)
    assert heard == ["2 message(s) were brought"]


def test_nothing_waits() -> None:
    """453 is no trouble; without domains ATRN means all."""
    stage = Provider(FetchSettings(host="isp.example"), ATRN="453 You have no mail")
    assert stage.asked() == ["no mail waits"]
    assert stage.sessions[0].said == ["ATRN"]
    assert stage.sessions[0].has_left


@pytest.mark.rfc("1985", "5.1")
def test_etrn_for_each_domain() -> None:
    """Each is asked for; one that is refused makes the call a failure."""
    stage = Provider(ETRN, ETRN="250 OK")
    assert stage.asked() == ["250 OK; 250 OK"]
    assert stage.sessions[0].said == ["ETRN a.example", "ETRN @b.example"]
    stage.answers["ETRN"] = "459 no"
    (failure,) = stage.asked()
    assert isinstance(failure, Failure)
    assert failure.check(Unavailable)
    assert stage.sessions[1].has_left


def test_a_refusal_is_a_failure() -> None:
    """450 is told to whoever asked."""
    (failure,) = Provider(ATRN="450 refused").asked()
    assert failure.check(Unavailable)


def test_it_calls_from_time_to_time() -> None:
    """Soon after the start, then after each interval, a little earlier or later; never after the stop."""
    stage = Provider(ATRN="453 none")
    stage.role.start()
    stage.clock.advance(0)
    assert len(stage.sessions) == 1
    stage.clock.advance(HOUR * (1 - JITTER) - 1)
    assert len(stage.sessions) == 1
    stage.clock.advance(HOUR * 2 * JITTER + 2)
    assert len(stage.sessions) == 2
    Deferred.fromCoroutine(stage.role.stop())
    stage.clock.advance(0)
    assert not stage.clock.getDelayedCalls()


def test_failures_make_the_pauses_longer() -> None:
    """Twice as long each time, up to a bound; a call that goes well makes them short again."""
    stage = Provider(ATRN="453 none")
    stage.trouble = Reply.of(451, "4.4.1", "refused")
    stage.role.start()
    pauses = []
    for _ in range(MOST_DOUBLINGS + 3):
        stage.clock.advance(0)
        (timer,) = [one for one in stage.clock.getDelayedCalls() if one.getTime() > stage.clock.seconds()]
        pauses.append(timer.getTime() - stage.clock.seconds())
        stage.clock.advance(pauses[-1])
    for number, pause in enumerate(pauses, 1):
        expected = HOUR * 2 ** min(number, MOST_DOUBLINGS)
        assert expected * (1 - JITTER) <= pause <= expected * (1 + JITTER)


def test_without_an_interval_it_waits_to_be_asked() -> None:
    """It calls when told to, and only then."""
    stage = Provider(FetchSettings(host="isp.example", interval=Seconds(0)), ATRN="453 none")
    stage.role.start()
    stage.clock.advance(1e6)
    assert not stage.sessions
    assert stage.asked() == ["no mail waits"]
    assert not stage.clock.getDelayedCalls()


def test_stopping_breaks_a_call_off() -> None:
    """Whoever waits for it hears so."""
    stage = Provider(ATRN="250 turning")
    heard = stage.asked()
    Deferred.fromCoroutine(stage.role.stop())
    stage.clock.advance(0)
    assert len(heard) == 1
    assert isinstance(heard[0], Failure)


def test_names() -> None:
    """A provider goes by its name, or else by its host."""
    assert (ATRN.title, ETRN.title) == ("isp.example", "isp")
    assert "password" not in repr(FetchSettings(password_file="/etc/password"))
