"""Stanza errors (RFC 6120 section 8.3): what they mean for mail, and which one a refusal of mail becomes."""

from collections.abc import Mapping

from twisted.words.xish.domish import Element

from mailnode.gateways.api import Delayed, Failed, Refused, header_line
from mailnode.shipped.xmpp.stanzas import element, speakable, text_of

NS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"

_MEANINGS: Mapping[str, Delayed | Failed] = {
    "bad-request": Failed("", "5.6.0"),
    "conflict": Delayed("", "4.5.0"),
    "forbidden": Failed("", "5.7.1"),
    "gone": Failed("", "5.1.6"),
    "internal-server-error": Delayed("", "4.3.0"),
    "item-not-found": Failed("", "5.1.1"),
    "jid-malformed": Failed("", "5.1.3"),
    "not-acceptable": Failed("", "5.6.1"),
    "not-allowed": Failed("", "5.7.1"),
    "not-authorized": Failed("", "5.7.1"),
    "policy-violation": Failed("", "5.7.1"),
    "recipient-unavailable": Delayed("", "4.2.1"),
    "remote-server-not-found": Failed("", "5.1.2"),
    "remote-server-timeout": Delayed("", "4.4.1"),
    "resource-constraint": Delayed("", "4.3.1"),
    "service-unavailable": Failed("", "5.1.1"),  # by privacy the word for nobody there (RFC 6121 section 8.5.1)
}
_BY_TYPE: Mapping[str, Delayed | Failed] = {"wait": Delayed("", "4.5.0"), "auth": Failed("", "5.7.1")}


def outcome_of_error(stanza: Element) -> Delayed | Failed:
    """Say what an error stanza means for the message that it answers; never raises."""
    condition, kind, text = "undefined-condition", "", ""
    for error in stanza.elements():
        if error.name != "error":
            continue
        kind = str(error.getAttribute("type", ""))
        for child in error.elements():
            if child.uri == NS_STANZAS and child.name == "text":
                text = header_line(text_of(child))[:200]
            elif child.uri == NS_STANZAS:
                condition = child.name[:50]
    meaning = _MEANINGS.get(condition) or _BY_TYPE.get(kind) or Failed("", "5.0.0")
    if kind == "wait" and isinstance(meaning, Failed):
        meaning = Delayed("", meaning.status.replace("5", "4", 1))
    words = f"XMPP {condition}: {text}" if text else f"XMPP {condition}"
    return type(meaning)(words, meaning.status)


def error_answer(stanza: Element, condition: str, kind: str, text: str = "") -> Element:
    """Answer a stanza with an error; of what it held nothing goes back."""
    attributes = {"type": "error"}
    for ours, theirs in (("to", "from"), ("from", "to"), ("id", "id")):
        if stanza.hasAttribute(theirs):
            attributes[ours] = str(stanza[theirs])
    answer = element(stanza.name, **attributes)
    error = answer.addElement("error")
    error["type"] = kind
    error.addElement((NS_STANZAS, condition))
    if text:
        error.addElement((NS_STANZAS, "text"), content=speakable(header_line(text)))
    return answer


_REFUSALS: Mapping[str, tuple[str, str]] = {
    "5.1.1": ("item-not-found", "cancel"),
    "5.1.2": ("item-not-found", "cancel"),
    "5.1.3": ("jid-malformed", "modify"),
    "5.3.4": ("not-acceptable", "modify"),
    "5.7.1": ("forbidden", "auth"),
}


def error_of_refusal(refused: Refused) -> tuple[str, str, str]:
    """Give the condition, type and text of the error that a refusal by the mail system becomes."""
    reply = refused.reply
    text = " ".join(reply.lines)
    if reply.is_transient:
        return "resource-constraint", "wait", text
    return (*_REFUSALS.get(str(reply.status or ""), ("not-acceptable", "cancel")), text)
