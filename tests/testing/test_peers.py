"""Tests of the other sides that behave as told."""

import pytest
from twisted.internet.defer import Deferred

from mailnode.testing.api import HANG, FakeHttp, FakePeer, HttpResponse, now


def test_answers_come_in_their_order_and_then_the_same_for_ever() -> None:
    """Values, exceptions, functions."""
    peer = FakePeer(otherwise="on").will(1, OSError("down"), lambda word: word.upper())
    assert now(peer.call("a")) == 1
    with pytest.raises(OSError, match="down"):
        now(peer.call("b"))
    assert [now(peer.call(word)) for word in "cd"] == ["C", "on"]
    assert now(peer.always("off").call("e")) == "off"
    assert [word for (word,) in peer.calls] == list("abcde")


def test_what_is_always_so_comes_after_what_was_told_one_by_one() -> None:
    """In whatever order the two are said: the script is not forgotten."""
    web = FakeHttp().will(503).always(429)
    assert [now(web.request("GET", "https://x")).status for _ in range(3)] == [503, 429, 429]


def test_a_call_that_hangs_waits_until_it_is_let_go() -> None:
    """Or for ever."""
    peer = FakePeer().will(HANG)
    got: list[str] = []
    Deferred.fromCoroutine(peer.call()).addCallback(got.append)
    assert not got
    peer.waiting[0].callback("at last")
    assert got == ["at last"]


def test_a_web_server_answers_statuses_and_responses() -> None:
    """And keeps the requests."""
    web = FakeHttp().will(503, HttpResponse(200, b'{"ok": true}'))
    assert now(web.request("GET", "https://x")).status == 503
    assert now(web.request("POST", "https://x", headers={"X-A": "1"}, body=b'{"a": 1}')).text == '{"ok": true}'
    assert (web.requests[1].json(), web.requests[1].headers) == ({"a": 1}, {"x-a": "1"})
