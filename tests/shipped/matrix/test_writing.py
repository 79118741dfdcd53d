"""Tests of the contents of events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.shipped.matrix.writing import content, mentioned, replied_to, said


def event(**told: Any) -> dict[str, Any]:
    """Make an event that says something."""
    return {"content": {"msgtype": "m.text", "body": "hello", **told}}


def test_a_mail_is_plain_text_and_harmless_html() -> None:
    """The subject is strong, and nothing in a mail is markup."""
    made = content("Disk <full>", "a < b\nc", limit=1000, is_automatic=False, answers="$e")
    assert made["body"] == "Disk <full>\n\na < b\nc"
    assert made["formatted_body"] == "<strong>Disk &lt;full&gt;</strong><br><br>a &lt; b<br>\nc"
    assert (made["msgtype"], made["m.mentions"]) == ("m.text", {})
    assert made["m.relates_to"] == {"m.in_reply_to": {"event_id": "$e"}}
    assert content("", "x", limit=1000, is_automatic=True)["msgtype"] == "m.notice"


@given(st.text(max_size=20_000))
def test_an_event_is_never_too_large(text: str) -> None:
    """65536 octets are the most; what is cut is counted."""
    made = content(text[:3000], text, limit=10_000, is_automatic=False)
    assert len(json.dumps({"body": made["body"]}, ensure_ascii=False).encode()) < 50_000
    assert len(made["body"]) <= 10_600


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({}, "hello"),
        ({"msgtype": "m.emote"}, "* hello"),
        ({"msgtype": "m.notice"}, ""),
        ({"msgtype": "m.image", "body": "cat.jpg"}, "[cat.jpg: a file, left out]"),
        ({"msgtype": "m.file", "filename": "a.txt", "body": "look"}, "[a.txt: a file, left out]\nlook"),
        ({"m.relates_to": {"rel_type": "m.replace", "event_id": "$e"}}, ""),
        ({"body": 5}, ""),
        ({"msgtype": ["m.text"]}, ""),
        ({"m.relates_to": 5, "m.mentions": {"user_ids": 7}}, "hello"),
        ({"body": "> <@a:b> old\n> older\n\nnew", "m.relates_to": {"m.in_reply_to": {"event_id": "$e"}}}, "new"),
        ({"body": "> quoted by hand\nnew"}, "> quoted by hand\nnew"),
    ],
)
def test_what_an_event_says(told: dict[str, Any], text: str) -> None:
    """Words and the names of files; no notices, no edits, no quotations that programs make."""
    assert said(event(**told)) == text
    assert isinstance(replied_to(event(**told)), str)
    assert isinstance(mentioned(event(**told)), list)
    assert not said({"content": None})
