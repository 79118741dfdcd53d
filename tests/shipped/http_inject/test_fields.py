"""Tests of how JSON is read: what is wrong is told with its place, and nothing wrong becomes mail."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.api import Draft
from mailnode.shipped.http_inject.fields import read_json
from mailnode.shipped.http_inject.problems import Wrong

MAIL: dict[str, Any] = {"from": "a@x.example", "to": ["b@y.example"], "text": "hello"}


def wrong(body: bytes) -> Wrong:
    """Give what is wrong with a body."""
    with pytest.raises(Wrong) as caught:
        read_json(body)
    return caught.value


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "line 1, column 1"),
        (b'{\n "from": }', "line 2, column 10"),
        (b'{"text": "\xff"}', "octet 10"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"to": [], "to": []}', "'to' stands twice"),
        (b'{"text": NaN}', "NaN"),
        (b"[" * 100_000, "brackets"),
        (b'{"text": ' + b"1" * 5000 + b"}", "digits"),
    ],
)
def test_broken_json_is_told_with_its_place(body: bytes, place: str) -> None:
    """A line and column, or an octet."""
    found = wrong(body)
    assert (found.kind, found.status) == ("malformed", 400)
    assert place in found.detail


@pytest.mark.parametrize(
    ("change", "pointer", "kind"),
    [
        ({"from": None}, "/from", "invalid"),
        ({"from": {"name": "x"}}, "/from/address", "invalid"),
        ({"to": "b@y.example"}, "/to", "invalid"),
        ({"to": []}, "/to", "invalid"),
        ({"to": ["b@y.example", "nobody"]}, "/to/1", "invalid"),
        ({"to": ["b@y.example\r\nBcc: e@evil.example"]}, "/to/0", "invalid"),
        ({"to": [{"address": "b@y.example", "name": "B\r\nX: y"}]}, "/to/0/name", "invalid"),
        ({"subject": "x\nBcc: e@evil.example"}, "/subject", "invalid"),
        ({"subject": "x\u2028y"}, "/subject", "invalid"),
        ({"subject": 1}, "/subject", "invalid"),
        ({"subject": "x" * 3000}, "/subject", "invalid"),
        ({"text": ["x"]}, "/text", "invalid"),
        ({"text": "\ud800"}, "/text", "malformed"),
        ({"subjct": "x"}, "/subjct", "invalid"),
        ({"a/b~": 1}, "/a~1b~0", "invalid"),
        ({"automatic": "yes"}, "/automatic", "invalid"),
        ({"in_reply_to": "1@x"}, "/in_reply_to", "invalid"),
        ({"references": ["<a@b>", "<a@b> <c@d>"]}, "/references/1", "invalid"),
        ({"headers": {"Bcc": "e@evil.example"}}, "/headers/Bcc", "invalid"),
        ({"headers": {"X-A\r\nBcc": "e"}}, "/headers/X-A\\r\\nBcc", "invalid"),
        ({"headers": {"X-A": "1\r\nBcc: e"}}, "/headers/X-A", "invalid"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "/headers", "invalid"),
        ({"headers": {"X-Mailnode-Gateway-Hop": "1"}}, "/headers/X-Mailnode-Gateway-Hop", "invalid"),
        ({"headers": {"Received": "x"}}, "/headers/Received", "invalid"),
        ({"headers": []}, "/headers", "invalid"),
        ({"attachments": [{"base64": "AA=="}, {"base64": "A"}]}, "/attachments/1/base64", "malformed"),
        ({"attachments": [{"base64": "AA==\n"}]}, "/attachments/0/base64", "malformed"),
        ({"attachments": [{"base64": "\u00e4"}]}, "/attachments/0/base64", "malformed"),
        ({"attachments": [{}]}, "/attachments/0/base64", "invalid"),
        ({"attachments": [{"base64": "", "content_type": "x"}]}, "/attachments/0/content_type", "invalid"),
        ({"attachments": [{"base64": "", "name": "a\nb"}]}, "/attachments/0/name", "invalid"),
        ({"to": ["x@y.example"] * 1001}, "/to", "invalid"),
        (
            {"to": [f"{n}@y.example" for n in range(600)], "cc": [f"{n}@z.example" for n in range(600)]},
            "/to",
            "invalid",
        ),
    ],
)
def test_what_cannot_be_used_is_told_with_its_pointer(change: dict[str, Any], pointer: str, kind: str) -> None:
    """Types, names, addresses, line ends in what stands in a header."""
    found = wrong(json.dumps(MAIL | change).encode())
    assert (found.kind, found.pointer) == (kind, pointer)
    assert json.loads(found.body())["errors"][0]["pointer"] == f"#{pointer}"


def test_a_sender_is_needed() -> None:
    """And an object around it all."""
    assert wrong(b'{"to": ["b@y.example"]}').pointer == "/from"
    assert wrong(b"[]").pointer == ""


def test_who_stands_twice_gets_it_once() -> None:
    """Whatever the lists."""
    posted = read_json(json.dumps(MAIL | {"cc": ["b@y.example", "c@y.example"], "bcc": ["c@y.example"]}).encode())
    assert list(map(str, posted.to)) == ["b@y.example", "c@y.example"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*MAIL, "cc", "subject", "headers", "attachments", "references"]), _JSON))
def test_any_json_is_read_or_told(change: dict[str, Any]) -> None:
    """Nothing else comes out of it."""
    with contextlib.suppress(Wrong):
        posted = read_json(json.dumps(MAIL | change).encode())
        assert isinstance(posted.mail, Draft)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_told(body: bytes) -> None:
    """Nothing else comes out of them."""
    wrong(body)
