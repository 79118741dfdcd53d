"""Which thread of mail a conversation is, and back: remembered by the node for a month.

Two people (a JID there, a JID that stands for mail here) have a conversation for each ``<thread/>``, and one that was the last.
A thread of mail is known by its first Message-ID (RFC 5322 section 3.6.4); its ``<thread/>`` is made from that, or is the one that a
person on the other side has begun.
"""

import json
from collections.abc import Sequence
from hashlib import sha256

from attrs import asdict, evolve, frozen

from mailnode.gateways.api import GatewayNode

MOST_REFERENCES = 20
SECONDS = 30 * 86400.0


@frozen
class Conversation:
    """What an answer needs to know."""

    mail: str
    """The address of the person in the mail world."""
    thread: str
    subject: str = ""
    references: tuple[str, ...] = ()
    """Message-IDs, the oldest first; the last one is what an answer answers."""

    def with_message(self, message_id: str, subject: str) -> "Conversation":
        """Give it with one more message."""
        if not message_id:
            return evolve(self, subject=subject)
        known = (*(one for one in self.references if one != message_id), message_id)
        kept = known if len(known) <= MOST_REFERENCES else (known[0], *known[1 - MOST_REFERENCES :])
        return evolve(self, subject=subject, references=kept)


async def recall(node: GatewayNode, theirs: str, ours: str, thread: str) -> Conversation | None:
    """Find the conversation that a message from there belongs to: its thread's, else the last one of the two."""
    for name in (thread, ""):
        found = await node.recall(_key("talk", theirs, ours, name))
        if found:
            read = json.loads(found)
            return Conversation(read["mail"], read["thread"], read["subject"], tuple(read["references"]))
    return None


async def remember(node: GatewayNode, theirs: str, ours: str, conversation: Conversation) -> None:
    """Keep it under its thread, as the last one of the two, and under its first message."""
    value = json.dumps(asdict(conversation))
    for thread in dict.fromkeys((conversation.thread, "")):
        await node.remember(_key("talk", theirs, ours, thread), value, SECONDS)
    if conversation.references and conversation.thread:
        await node.remember(_key("root", theirs, ours, conversation.references[0]), conversation.thread, SECONDS)


async def thread_of(node: GatewayNode, theirs: str, ours: str, references: Sequence[str], message_id: str) -> str:
    """Give the ``<thread/>`` of a mail: that in which the other side knows its thread, or one made of its first message."""
    root = references[0] if references else message_id
    if not root:
        return ""
    return await node.recall(_key("root", theirs, ours, root)) or sha256(root.encode()).hexdigest()[:32]


def references_of(references: str, in_reply_to: str) -> tuple[str, ...]:
    """Read the Message-IDs of a mail's References, or of In-Reply-To where there are none."""
    found = [
        one for one in (references.split() or in_reply_to.split()[:1]) if one.startswith("<") and one.endswith(">")
    ]
    return tuple(found[:1] + found[1:][1 - MOST_REFERENCES :])


def _key(kind: str, *parts: str) -> str:
    """Make a key of bounded length of what strangers may have chosen."""
    return f"{kind} {sha256(json.dumps(parts).encode()).hexdigest()[:40]}"
