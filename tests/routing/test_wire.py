"""DNS messages: what is asked, and what is taken for an answer."""

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.routing.wire import MAX_VALUES, Found, Query, Question, Truncated

QUESTION = Question("example.org", dns.rdatatype.MX)


def answer(query: Query, **changes: int) -> dns.message.Message:
    """Make a good answer to the query."""
    response = dns.message.make_response(dns.message.from_wire(query.octets))
    response.answer.append(dns.rrset.from_text("example.org.", 60, "IN", "MX", "10 a.example.org."))
    for name, value in changes.items():
        setattr(response, name, value)
    return response


@pytest.mark.rfc("6891", "6.2.5")
def test_a_question_asks_for_recursion_and_ad_but_not_dnssec_records() -> None:
    """RD and AD are set, DO is not, 1232 octets are offered; a plain question has no EDNS."""
    asked = dns.message.from_wire(Query(QUESTION, 7).octets)
    assert (asked.id, asked.edns, asked.payload) == (7, 0, 1232)
    assert asked.flags == dns.flags.RD | dns.flags.AD
    assert not asked.ednsflags & dns.flags.DO
    assert dns.message.from_wire(Query(QUESTION, 7, uses_edns=False).octets).edns == -1


@pytest.mark.rfc("5452", "9.1")
def test_only_the_answer_to_the_question_counts() -> None:
    """Another id, another question, a question sent back and junk are passed over."""
    query = Query(QUESTION, 7)
    assert query.read(answer(query).to_wire()) == Found(((10, "a.example.org"),), 60, is_secure=False)
    assert query.read(answer(query, id=8).to_wire()) is None
    other = Query(Question("example.net", dns.rdatatype.MX), 7)
    assert query.read(answer(other).to_wire()) is None
    assert query.read(query.octets) is None
    assert query.read(query.octets[:2] + b"junk") is None


def test_a_truncated_answer_is_known_as_such() -> None:
    """The TC bit counts even if the rest is cut in the middle of a record."""
    query = Query(QUESTION, 7)
    response = answer(query)
    response.flags |= dns.flags.TC
    octets = response.to_wire()
    assert query.read(octets) == Truncated()
    assert query.read(octets[:-3]) == Truncated()


def test_a_huge_set_is_cut() -> None:
    """No more than a bounded number of records is looked at."""
    query = Query(QUESTION, 7)
    response = answer(query)
    response.answer[0] = dns.rrset.from_text_list("example.org.", 60, "IN", "MX", [f"{n} a." for n in range(1000)])
    reading = query.read(response.to_wire(max_size=65535))
    assert isinstance(reading, Found)
    assert len(reading.values) == MAX_VALUES


def test_odd_names_stay_text() -> None:
    """A name with dots and blanks inside a label does not become another name."""
    query = Query(QUESTION, 7)
    response = answer(query)
    response.answer[0] = dns.rrset.from_text("example.org.", 60, "IN", "MX", r"10 a\.b\032c.example.")
    reading = query.read(response.to_wire())
    assert isinstance(reading, Found)
    assert reading.values == ((10, r"a\.b\032c.example"),)


@given(st.binary(max_size=300))
def test_no_octets_surprise(octets: bytes) -> None:
    """Whatever arrives under the right id is read or passed over."""
    Query(QUESTION, 7).read(b"\x00\x07" + octets)


@given(st.data())
def test_no_damaged_answer_surprises(data: st.DataObject) -> None:
    """A good answer with some octets changed is read or passed over, too."""
    query = Query(QUESTION, 7)
    octets = bytearray(answer(query).to_wire())
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(2, len(octets) - 1))] = data.draw(st.integers(0, 255))
    query.read(bytes(octets))
