"""Tests of keeping parts: bounds, and what outlives a restart."""

from mailnode.shipped.sms.assembly import MOST_OPEN, Assembly
from mailnode.shipped.sms.gateway import Sms
from mailnode.shipped.sms.pdu import Number, TextMessage
from mailnode.shipped.sms.segments import Segment
from mailnode.testing.api import MemoryNode, now


def node() -> MemoryNode:
    """Make a node whose ledger is used."""
    return MemoryNode(Sms(endpoint="tcp:127.0.0.1:1", system_id="a"), domain="sms.example.org")


def part(source: str, number: int = 1) -> tuple[TextMessage, Segment]:
    """Make a part of a text of three."""
    return TextMessage(Number(source), Number("1"), b"x", 0), Segment(b"text%d" % number, 7, 3, number)


def test_no_more_texts_are_open_than_allowed() -> None:
    """A flood of first parts drives the oldest out, as it is."""
    assembly = Assembly(node().gateway().node, 3600.0, 300.0)
    driven = []
    for number in range(MOST_OPEN + 5):
        for text in now(assembly.add(*part(f"49{number}"))):
            driven.append(text.source)
            now(assembly.done(text))
    assert driven == [f"49{number}" for number in range(5)]


def test_parts_outlive_the_process() -> None:
    """Another assembly on the same ledger knows them, and when their time is over."""
    memory = node()
    own = memory.gateway().node
    assert now(Assembly(own, 60.0, 300.0).add(*part("49", 1))) == []
    assert now(Assembly(own, 60.0, 300.0).add(*part("49", 2))) == []
    again = Assembly(own, 60.0, 300.0)
    assert now(again.overdue()) == []
    memory.clock.advance(61)
    (text,) = now(again.overdue())
    assert text.octets() == [(0, b"text1"), (0, b"text2"), None]
    now(again.done(text))
    assert now(again.overdue()) == []


def test_a_complete_text_is_given_until_it_is_done() -> None:
    """A part that comes again asks again; afterwards it changes nothing."""
    assembly = Assembly(node().gateway().node, 60.0, 300.0)
    for number in (1, 2):
        assert now(assembly.add(*part("49", number))) == []
    (text,) = now(assembly.add(*part("49", 3)))
    (again,) = now(assembly.add(*part("49", 3)))
    assert text.key == again.key
    now(assembly.done(text))
    assert now(assembly.add(*part("49", 3))) == []
