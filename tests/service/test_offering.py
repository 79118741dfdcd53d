"""What a listener offers, and its bounds, go by its service and its settings."""

from attrs import evolve
from twisted.internet.task import Clock

from mailnode.mail.quantity import Octets, Seconds
from mailnode.roles.originator_settings import SubmissionSettings
from mailnode.service.offering import HOUR, SubmissionOffer, max_size_for, session_for
from mailnode.service.settings import ListenerSettings, NodeSettings

MX = ListenerSettings("mx", "smtp")
SUBMISSION = ListenerSettings("submission", "submission")


def test_the_date_goes_with_the_time() -> None:
    """The same extensions are given for an hour, so that they are put together once; then the date moves on."""
    clock = Clock()
    offer = SubmissionOffer(SubmissionSettings(max_hold=Seconds(60)), clock)
    first = offer()
    assert [one.line for one in first] == ["FUTURERELEASE 60 1970-01-01T00:01:00Z", "DELIVERBY", "MT-PRIORITY"]
    clock.advance(HOUR - 1)
    assert offer() is first
    clock.advance(1)
    assert offer()[0].line == "FUTURERELEASE 60 1970-01-01T01:01:00Z"


def test_each_may_be_switched_off() -> None:
    """What the settings do not want is not offered."""
    assert SubmissionOffer(SubmissionSettings(max_hold=Seconds(0), deliver_by=False, priority=False), Clock())() == ()


def test_bounds_of_a_listener() -> None:
    """Recipients are bounded on submission listeners, the size on whichever has a bound of its own."""
    settings = NodeSettings(submission=SubmissionSettings(max_recipients=7))
    assert session_for(SUBMISSION, settings).max_recipients == 7
    assert session_for(MX, settings) is settings.session
    assert session_for(SUBMISSION, NodeSettings()).max_recipients == settings.session.max_recipients
    assert max_size_for(MX, settings) == settings.reception.max_size
    assert max_size_for(evolve(MX, max_size=Octets(5)), settings) == 5
