"""What a component, or an account, answers by itself: discovery, version, ping and presence.

XEP-0030, XEP-0092, XEP-0199, RFC 6121 section 3. Every other request gets service-unavailable (RFC 6120 section 8.2.3).
"""

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

from twisted.words.xish.domish import Element

from mailnode.shipped.xmpp.errors import error_answer
from mailnode.shipped.xmpp.stanzas import NS_PING, NS_RECEIPTS, element

NS_DISCO_INFO = "http://jabber.org/protocol/disco#info"
NS_DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
NS_VERSION = "jabber:iq:version"
_FEATURES = (NS_DISCO_INFO, NS_DISCO_ITEMS, NS_PING, NS_RECEIPTS, NS_VERSION, r"jid\20escaping")


def answer_iq(stanza: Element) -> Element | None:
    """Answer a request; None for what is itself an answer."""
    kind = stanza.getAttribute("type")
    if kind in ("result", "error"):
        return None
    payload = stanza.firstChildElement()
    if kind not in ("get", "set") or payload is None or not stanza.hasAttribute("id"):
        return error_answer(stanza, "bad-request", "modify")
    found = _ANSWERS.get((payload.uri, payload.name)) if kind == "get" else None
    if found is None:
        return error_answer(stanza, "service-unavailable", "cancel")
    answer = _back(stanza, "iq", "result")
    found(stanza, payload, answer)
    return answer


def answer_presence(stanza: Element) -> list[Element]:
    """Let everybody see every address: it is always there."""
    kind = stanza.getAttribute("type")
    if kind == "subscribe":
        return [_back(stanza, "presence", "subscribed"), _back(stanza, "presence", "")]
    if kind == "unsubscribe":
        return [_back(stanza, "presence", "unsubscribed")]
    return [_back(stanza, "presence", "")] if kind == "probe" else []


def _back(stanza: Element, name: str, kind: str) -> Element:
    answer = element(name, **({"type": kind} if kind else {}))
    for ours, theirs in (("to", "from"), ("from", "to"), ("id", "id")):
        if stanza.hasAttribute(theirs):
            answer[ours] = stanza[theirs]
    return answer


def _info(stanza: Element, payload: Element, answer: Element) -> None:
    query = answer.addElement((NS_DISCO_INFO, "query"))
    if payload.hasAttribute("node"):
        query["node"] = payload["node"]
    is_person = "@" in str(stanza.getAttribute("to", ""))
    identity = query.addElement("identity")
    identity["category"], identity["type"] = ("account", "registered") if is_person else ("gateway", "smtp")
    identity["name"] = "Mail"
    for feature in _FEATURES:
        query.addElement("feature")["var"] = feature


def _items(_: Element, __: Element, answer: Element) -> None:
    answer.addElement((NS_DISCO_ITEMS, "query"))


def _version(_: Element, __: Element, answer: Element) -> None:
    query = answer.addElement((NS_VERSION, "query"))
    query.addElement("name", content="mailnode")
    query.addElement("version", content=_our_version())


def _our_version() -> str:
    try:
        return version("mailnode")
    except PackageNotFoundError:
        return "unknown"


def _nothing(_: Element, __: Element, ___: Element) -> None:
    """Leave a ping's answer empty."""


_ANSWERS: Mapping[tuple[str, str], Callable[[Element, Element, Element], None]] = {
    (NS_DISCO_INFO, "query"): _info,
    (NS_DISCO_ITEMS, "query"): _items,
    (NS_VERSION, "query"): _version,
    (NS_PING, "ping"): _nothing,
}
