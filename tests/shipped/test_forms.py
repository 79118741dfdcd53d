"""Tests of the forms that brokers carry: what is written is read, and nonsense is a sentence."""

import base64
import json
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.api import Attachment, Gateway, OutgoingMessage, OutgoingRecipient
from mailnode.shipped.forms import json_form, key_for, read_json
from mailnode.testing.api import MemoryNode

ANN, BOB, EVE = "ann@home.example", "bob@keep.example", "eve@keep.example"


@define
class Keeps(Gateway):
    """Keeps what it is given."""

    got: list[tuple[OutgoingMessage, list[OutgoingRecipient]]] = field(init=False, factory=list)

    async def deliver(self, message: OutgoingMessage, recipients: Any) -> None:
        """Keep it."""
        self.got.append((message, list(recipients)))


def test_what_is_written_is_read() -> None:
    """Envelope, subject, text and files; and the key is that of exactly these recipients."""
    gateway = Keeps()
    node = MemoryNode(gateway, domain="keep.example")
    node.send(ANN, BOB, EVE, text="Grüße", subject="Hé", files=[Attachment("a.txt", "text/plain", b"inside")])
    message, recipients = gateway.got[0]
    draft = read_json(json_form(message, recipients)[1])
    assert (draft.sender, draft.to, draft.subject, draft.text) == (ANN, (BOB, EVE), "Hé", "Grüße")
    assert draft.files == (Attachment("a.txt", "text/plain", b"inside"),)
    assert draft.message_id == message.message_id
    assert key_for(recipients) == key_for(recipients[::-1])
    assert len({key_for(recipients), *(key_for([one]) for one in recipients)}) == 3
    assert key_for(recipients[:1]) == recipients[0].key


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no object"),
        (b"\xff{}", "no JSON"),
        ({"to": [1]}, '"to" is no list of texts'),
        ({"to": {}}, '"to" is no list'),
        ({"to": ANN, "from": 1}, '"from" is no text'),
        ({"from": ANN}, 'nobody in "to"'),
        ({"to": [ANN]}, 'nobody in "from"'),
        ({"to": ANN, "from": ANN, "attachments": ["x"]}, "no object"),
        ({"to": ANN, "from": ANN, "attachments": [{"base64": "?"}]}, "no base64"),
    ],
)
def test_nonsense_is_told_in_a_sentence(told: Any, words: str) -> None:
    """ValueError, whatever it is."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    with pytest.raises(ValueError, match=words):
        read_json(body)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["to", "from", "text", "attachments", "references", "base64"]), inner)))  # fmt: skip
def test_any_json_is_a_draft_or_a_value_error(told: Any) -> None:
    """Nothing else comes out of it."""
    try:
        draft = read_json(json.dumps(told).encode(), sender=ANN, to=[BOB])
    except ValueError:
        return
    assert draft.to
    assert base64.b64encode(b"".join(one.octets for one in draft.files)) is not None
