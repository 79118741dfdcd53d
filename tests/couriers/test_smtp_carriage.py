"""What is heard for a recipient becomes its outcome, or another try."""

import pytest

from mailnode.couriers.smtp_carriage import Carriage
from mailnode.mail.outcome import Delayed, Delivered, Failed, Outcome, Relayed
from mailnode.mail.reply import Reply
from mailnode.smtp.clientevents import Answer, Stage
from tests.kit.carrying import recipients, request

_R0, _R1 = recipients(2)
_OK = Reply(250, ("ok",))
_LATER = Reply(450, ("later",))
_NO = Reply(550, ("no",))


def _carriage(*, is_final: bool = False) -> Carriage:
    carriage = Carriage(request(to=2), is_final=is_final)
    carriage.arrive("mx1.example")
    carriage.here = []
    return carriage


def _outcome(answer: Answer, *, is_final: bool = False) -> Outcome | None:
    carriage = _carriage(is_final=is_final)
    carriage.hear([_R0], [answer], "mx1.example", passes_dsn=True)
    return carriage.outcomes.get(_R0)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(_OK, Stage.DOT), Relayed(_OK, "mx1.example", passes_dsn=True)),
        (Answer(_NO, Stage.MAIL), Failed(_NO, "mx1.example")),
        (Answer(_NO, Stage.RCPT), Failed(_NO, "mx1.example")),
        (Answer(_NO, Stage.CONTENT), Failed(_NO, "mx1.example")),
        (Answer(_LATER, Stage.DOT), Delayed(_LATER, "mx1.example")),
        (Answer(_LATER, Stage.DOT, is_ours=True), Delayed(_LATER)),
        (Answer(_LATER, Stage.RCPT), None),
        (Answer(_LATER, Stage.DATA), None),
        (Answer(_LATER, Stage.CONTENT, is_ours=True), None),
    ],
)
def test_answers_become_outcomes_or_wait_for_another_host(answer: Answer, outcome: Outcome | None) -> None:
    """Success, failure and what came after the dot are final; the rest may be tried elsewhere."""
    assert _outcome(answer) == outcome


def test_success_by_lmtp_is_delivery() -> None:
    """A mailbox server delivers, it does not relay; one that speaks DSN reports that itself."""
    assert _outcome(Answer(_OK, Stage.DOT), is_final=True) == Delivered(_OK, "mx1.example", passes_dsn=True)


def test_giving_up_settles_everybody() -> None:
    """Who was heard of keeps that, the others get the host's trouble."""
    carriage = _carriage()
    carriage.note_session()
    carriage.hear([_R0], [Answer(_LATER, Stage.RCPT)], "mx1.example", passes_dsn=False)
    carriage.note_trouble(_NO, "mx2.example")
    carriage.give_up()
    assert carriage.is_done
    assert carriage.outcomes == {_R0: Delayed(_LATER, "mx1.example"), _R1: Failed(_NO, "mx2.example")}


def test_unreachable_only_without_any_session() -> None:
    """One session with any host is enough to say that the next hop lives."""
    for had_session in (False, True):
        carriage = _carriage()
        if had_session:
            carriage.note_session()
        carriage.note_trouble(_LATER, "")
        carriage.give_up()
        assert carriage.outcomes[_R0] == Delayed(_LATER, host_unreachable=not had_session)


def test_giving_up_without_any_trouble_delays() -> None:
    """Recipients that nobody had time for wait."""
    carriage = _carriage()
    carriage.give_up()
    assert isinstance(carriage.outcomes[_R0], Delayed)


def test_the_same_recipient_twice_is_one() -> None:
    """Equal recipients share an outcome, and are sent to once."""
    carriage = Carriage(request(to=[_R0, _R0]), is_final=False)
    carriage.arrive("mx1.example")
    assert carriage.here == [_R0]


@pytest.mark.rfc("8689", "4.2.1")
def test_a_host_that_is_not_fit_is_no_last_word_while_another_was_not_reached() -> None:
    """Where no host keeps what is required the message fails; while one might, it waits."""
    unfit = Reply.of(550, "5.7.30", "not kept")
    carriage = _carriage()
    carriage.note_unfit(unfit)
    carriage.give_up()
    assert carriage.outcomes == {_R0: Failed(unfit), _R1: Failed(unfit)}
    carriage = _carriage()
    carriage.note_unfit(unfit)
    carriage.note_trouble(_LATER, "mx2.example")
    carriage.give_up()
    assert isinstance(carriage.outcomes[_R0], Delayed)


def test_an_outcome_knows_what_protected_it() -> None:
    """Whatever it is."""
    for reply in (_OK, _NO):
        carriage = _carriage()
        carriage.hear([_R0], [Answer(reply, Stage.DOT)], "mx1.example", passes_dsn=False, tls="TLSv1.3 X verified")
        assert carriage.outcomes[_R0].tls == "TLSv1.3 X verified"
