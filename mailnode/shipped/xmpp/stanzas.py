"""Message stanzas, read into values and written from them (RFC 6121 section 5)."""

from collections.abc import Iterator
from datetime import datetime

from attrs import field, frozen
from twisted.words.xish.domish import Element

NS_RECEIPTS = "urn:xmpp:receipts"
NS_DELAY = "urn:xmpp:delay"
NS_SID = "urn:xmpp:sid:0"
NS_PING = "urn:xmpp:ping"
NS_CARBONS = "urn:xmpp:carbons:2"
NS_HOP = "urn:x-mailnode:hop"
"""Of the mark that ends loops between gateways."""
_ENCRYPTED = ("urn:xmpp:eme:0", "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "jabber:x:encrypted")
UNIQUE = 16
"""Characters of an id that is not merely counted."""


@frozen
class Chat:
    """What a message stanza says."""

    sender: str
    """The full JID, as it stands there."""
    to: str
    kind: str
    """Its type; ``normal`` where none is given."""
    body: str = ""
    subject: str = ""
    thread: str = ""
    id: str = ""
    origin_id: str = ""
    wants_receipt: bool = False
    received: tuple[str, ...] = ()
    """The ids of messages of ours that it confirms."""
    mark: str = field(default="", repr=False)
    stamp: float | None = None
    """When it was sent, if it was stored on its way (XEP-0203), seconds since the epoch."""
    is_encrypted: bool = False
    is_carbon: bool = False

    @property
    def unique_id(self) -> str:
        """Give an id that no other message of this sender has; empty when that is not certain."""
        return self.origin_id or (self.id if len(self.id) >= UNIQUE else "")


def read_message(stanza: Element) -> Chat:
    """Read a message stanza; never raises."""
    return Chat(
        sender=str(stanza.getAttribute("from", "")),
        to=str(stanza.getAttribute("to", "")),
        kind=str(stanza.getAttribute("type", "normal")),
        body=_text(stanza, "body"),
        subject=_text(stanza, "subject"),
        thread=_text(stanza, "thread").strip()[:256],
        id=str(stanza.getAttribute("id", ""))[:256],
        origin_id=next((str(one.getAttribute("id", ""))[:256] for one in _named(stanza, NS_SID, "origin-id")), ""),
        wants_receipt=any(True for _ in _named(stanza, NS_RECEIPTS, "request")),
        received=tuple(str(one.getAttribute("id", ""))[:256] for one in _named(stanza, NS_RECEIPTS, "received"))[:10],
        mark=next((text_of(one).strip()[:200] for one in _named(stanza, NS_HOP, "hop")), ""),
        stamp=next((_moment(str(one.getAttribute("stamp", ""))) for one in _named(stanza, NS_DELAY, "delay")), None),
        is_encrypted=any(one.uri in _ENCRYPTED for one in stanza.elements()),
        is_carbon=any(one.uri == NS_CARBONS for one in stanza.elements()),
    )


def write_message(chat: Chat) -> Element:
    """Write a message that asks for a receipt if the chat wants one."""
    stanza = element(
        "message", to=chat.to, id=chat.id, type=chat.kind, **({"from": chat.sender} if chat.sender else {})
    )
    for name, value in (("subject", chat.subject), ("body", chat.body), ("thread", chat.thread)):
        if value:
            stanza.addElement(name, content=speakable(value))
    if chat.wants_receipt:
        stanza.addElement((NS_RECEIPTS, "request"))
    if chat.origin_id:
        stanza.addElement((NS_SID, "origin-id"))["id"] = chat.origin_id
    if chat.mark:
        stanza.addElement((NS_HOP, "hop"), content=chat.mark)
    return stanza


def write_received(chat: Chat) -> Element:
    """Write the receipt of a message (XEP-0184 section 5.2)."""
    stanza = element("message", to=chat.sender, **({"from": chat.to} if chat.to else {}))
    stanza["type"] = chat.kind
    stanza.addElement((NS_RECEIPTS, "received"))["id"] = chat.id
    return stanza


def write_ping(sender: str, to: str, ident: str) -> Element:
    """Write a ping (XEP-0199)."""
    stanza = element("iq", to=to, id=ident, type="get", **({"from": sender} if sender else {}))
    stanza.addElement((NS_PING, "ping"))
    return stanza


def element(name: str, **attributes: str) -> Element:
    """Make a stanza in the stream's own namespace."""
    stanza = Element((None, name))
    for key, value in attributes.items():
        stanza[key] = speakable(value)
    return stanza


def speakable(text: str) -> str:
    """Leave out what XML 1.0 cannot hold (section 2.2): one such character would end the stream."""
    return "".join(
        char for char in text if char in "\t\n\r" or (char >= " " and not "\ud800" <= char <= "\udfff" and char not in "\ufffe\uffff")
    )  # fmt: skip


def text_of(found: Element) -> str:
    """Give the character data right within an element."""
    return "".join(child for child in found.children if isinstance(child, str))


def _text(stanza: Element, name: str) -> str:
    """Give the text of a child of the stanza's namespace, best that without a language of its own."""
    found = list(_named(stanza, stanza.uri, name))
    plain = [one for one in found if not one.hasAttribute(("http://www.w3.org/XML/1998/namespace", "lang"))]
    return text_of((plain or found)[0]) if found else ""


def _named(stanza: Element, uri: str | None, name: str) -> Iterator[Element]:
    return (child for child in stanza.children if isinstance(child, Element) and (child.uri, child.name) == (uri, name))


def _moment(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text[:40]).timestamp()
    except (ValueError, OverflowError):
        return None
