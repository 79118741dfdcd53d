"""Tests of how much of one local user's mail is taken in a time."""

import pytest
from twisted.internet.task import Clock

from mailnode.interfaces import Refused
from mailnode.mail.address import NULL
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.service.patience import Patience, PatientReception
from tests.kit.reception import StagedReception
from tests.kit.results import now

ANN, BOB, ROOT = (Peer("", user=name) for name in ("ann", "bob", "root"))


def test_each_user_has_a_bound_but_root() -> None:
    """It comes back with time; one user's mail is none of another's business."""
    clock, door = Clock(), StagedReception()
    patient = PatientReception(door, Patience(2), clock)
    for peer in (ANN, ANN, BOB, ROOT, ROOT, ROOT):
        now(patient.begin(peer, Envelope(NULL), 0))
    with pytest.raises(Refused) as refused:
        now(patient.begin(ANN, Envelope(NULL), 0))
    assert refused.value.reply.is_transient
    clock.advance(3600)
    now(patient.begin(ANN, Envelope(NULL), 0))


def test_without_a_bound_there_is_none() -> None:
    """0 is no limit; questions go to the door behind."""
    patient = PatientReception(StagedReception(), Patience(0), Clock())
    for _ in range(1000):
        now(patient.begin(ANN, Envelope(NULL), 0))
    assert now(patient.verify(ANN, "a")).code == 252
    assert now(patient.expand(ANN, "a")).code == 550
