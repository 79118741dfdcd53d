"""Tests of the XMPP gateway against a server in memory: what becomes of mail, of messages, and of everything hostile."""

from typing import Any

import pytest
from twisted.internet.error import ConnectionRefusedError as Refusal
from twisted.words.xish.domish import Element

from mailnode.shipped.xmpp.gateway import Xmpp
from mailnode.shipped.xmpp.stanzas import NS_HOP, NS_RECEIPTS, read_message
from mailnode.testing.api import MemoryNode, Notify
from tests.kit.xmpp_server import XmppServer

ANN = "ann@home.example"
JID = r"ann\40home.example@mail.example.org"
BOB = "bob.chat.example@xmpp.example.org"


def pair(**settings: Any) -> tuple[MemoryNode, XmppServer]:
    """Make a node and the server that it is connected to."""
    gateway = Xmpp(jid="mail.example.org", password="s", **settings)
    node = MemoryNode(gateway, domain="xmpp.example.org")
    return node, XmppServer(node.clock).accept()


def error(condition: str, kind: str, ident: str, sender: str = "bob@chat.example") -> str:
    """Write an error stanza."""
    return (
        f"<message type='error' id='{ident}' from='{sender}' to='{JID}'><error type='{kind}'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )


def said(body: str, extra: str = "", **attributes: str) -> str:
    """Write a message of Bob's."""
    fields = {"from": "bob@chat.example/phone", "to": JID, "type": "chat", "id": "1"} | attributes
    written = " ".join(f"{name}='{value}'" for name, value in fields.items())
    return f"<message {written}><body>{body}</body>{extra}</message>"


def sole(server: XmppServer) -> Element:
    """Give the one message that was heard."""
    (message,) = server.messages()
    return message


def condition_of(stanza: Element) -> str:
    """Give the condition of an error stanza."""
    assert stanza["type"] == "error"
    return str(next(one.firstChildElement().name for one in stanza.elements() if one.name == "error"))


def test_mail_becomes_a_message() -> None:
    """Sender, subject, body, thread, a request for a receipt and the mark are all there."""
    node, server = pair()
    node.send(ANN, BOB, subject="Lunch", text="a < b & \x07c")
    message = sole(server)
    chat = read_message(message)
    assert (chat.sender, chat.to, chat.kind) == (JID, "bob@chat.example", "chat")
    assert (chat.subject, chat.body) == ("Lunch", "Subject: Lunch\n\na < b & c")
    assert chat.wants_receipt
    assert chat.mark
    assert chat.thread
    server.pong()
    assert not node.queue()


@pytest.mark.parametrize(
    ("condition", "kind", "is_delayed"),
    [
        ("item-not-found", "cancel", False), ("service-unavailable", "cancel", False), ("service-unavailable", "wait", True),
        ("recipient-unavailable", "wait", True), ("resource-constraint", "wait", True), ("gone", "cancel", False),
        ("remote-server-timeout", "wait", True), ("remote-server-not-found", "cancel", False), ("nonsense", "auth", False),
    ],
)  # fmt: skip
def test_errors_bounce_or_wait(condition: str, kind: str, is_delayed: bool) -> None:
    """By their condition, and by their type where that is not known."""
    node, server = pair()
    node.send(ANN, BOB)
    server.say(error(condition, kind, sole(server)["id"]))
    server.pong()
    if is_delayed:
        assert condition in node.queue()[0].reason
    else:
        assert condition in " ".join(node.mailbox(ANN)[0].as_string().split())


def test_nobody_else_can_say_that_it_failed() -> None:
    """An error counts from the recipient only."""
    node, server = pair()
    node.send(ANN, BOB)
    server.say(error("item-not-found", "cancel", sole(server)["id"], "eve@chat.example"))
    server.pong()
    assert not node.queue()
    assert not node.mailbox(ANN)


def test_a_lost_stream_costs_nothing() -> None:
    """What was not confirmed is sent again with the same id; while the server is away mail waits."""
    node, server = pair()
    node.send(ANN, BOB)
    first = sole(server)["id"]
    server.break_off()
    assert "4.4.2" in node.queue()[0].reason
    node.advance("5s")
    server.refuse(Refusal("refused"))
    node.send(ANN, BOB, subject="other")
    assert "refused" in node.queue()[1].reason
    node.advance("10s")
    server.stanzas.clear()
    server.accept()
    node.advance("1h")
    server.pong()
    assert first in {one["id"] for one in server.messages()}
    assert len(server.messages()) == 2
    assert not node.queue()


def test_receipts_confirm() -> None:
    """A receipt in time is delivery; a later one of somebody who is known to send some becomes a report."""
    node, server = pair()
    receipt = "<message from='bob@chat.example/x' to='%s'><received xmlns='%s' id='%s'/></message>"
    node.send(ANN, BOB, notify=Notify.SUCCESS)
    server.say(receipt % (JID, NS_RECEIPTS, sole(server)["id"]))
    server.pong()
    assert "confirmed" in " ".join(node.mailbox(ANN)[0].as_string().split())
    server.stanzas.clear()
    node.send(ANN, BOB, subject="second", notify=Notify.SUCCESS)
    ident = sole(server)["id"]
    server.pong()
    assert len(node.mailbox(ANN)) == 1
    server.say((receipt % (JID, NS_RECEIPTS, ident)).replace("bob@", "eve@"))
    assert len(node.mailbox(ANN)) == 1
    server.say(receipt % (JID, NS_RECEIPTS, ident))
    assert "confirmed" in " ".join(node.mailbox(ANN)[1].as_string().split())


def test_a_silent_server_is_not_asked_twice() -> None:
    """The message is handed on; when the error comes after all, it bounces."""
    node, server = pair()
    node.send(ANN, BOB)
    ident = sole(server)["id"]
    node.advance("40s")
    assert not node.queue()
    server.say(error("remote-server-timeout", "wait", ident))
    assert "remote-server-timeout" in " ".join(node.mailbox(ANN)[0].as_string().split())


def test_an_answer_goes_into_the_thread() -> None:
    """By its thread, by the pair where there is none or a new one, and with a receipt once it is durable."""
    node, server = pair()
    node.send(ANN, BOB, subject="Lunch", message_id="<a@home.example>")
    thread = read_message(sole(server)).thread
    server.pong()
    server.say(said("Yes.", f"<thread>{thread}</thread><request xmlns='{NS_RECEIPTS}'/>"))
    (mail,) = node.mailbox(ANN)
    assert (mail["In-Reply-To"], mail["Subject"]) == ("<a@home.example>", "Re: Lunch")
    assert (mail["From"].addresses[0].addr_spec, mail["To"]) == (BOB, ANN)
    assert mail.get_content_type() == "text/plain"
    assert mail["Content-Type"].params["format"] == "flowed"
    assert read_message(server.messages()[-1]).received == ("1",)
    server.say(said("And more.", "<thread>of my own</thread>", id="2"))
    assert node.mailbox(ANN)[1]["References"].split() == ["<a@home.example>", mail["Message-ID"]]


def test_what_is_no_message_of_a_person_makes_no_mail() -> None:
    """Chat states, carbons, group chats, errors and blank bodies."""
    node, server = pair()
    for stanza in (
        "<message from='b@c.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        said(" \n "), said("x", type="groupchat"), said("x", type="error"), said("x", type="headline"),
        said("x", "<sent xmlns='urn:xmpp:carbons:2'/>"),
    ):  # fmt: skip
        server.say(stanza)
    assert not node.mailbox(ANN)
    assert not server.messages()


@pytest.mark.parametrize(
    ("stanza", "condition"),
    [
        (said("x", to="mail.example.org"), "item-not-found"),
        (said("x", to="nobody@mail.example.org"), "item-not-found"),
        (said("x", to=r"x\40elsewhere.example@mail.example.org"), "forbidden"),
        (said("x", "<encrypted xmlns='eu.siacs.conversations.axolotl'/>"), "not-acceptable"),
        (said("x", **{"from": "eve@evil.example"}), "forbidden"),
    ],
)
def test_what_is_not_taken_is_answered(stanza: str, condition: str) -> None:
    """With an error stanza that says why."""
    node, server = pair(people=("chat.example",))
    server.say(stanza)
    assert condition_of(sole(server)) == condition
    assert not node.mailbox(ANN)


def test_the_same_message_twice_is_one_mail() -> None:
    """When its id is one that nobody else's has."""
    node, server = pair()
    for _ in range(2):
        server.say(said("once", "<origin-id xmlns='urn:xmpp:sid:0' id='9f6c'/>"))
    for _ in range(2):
        server.say(said("ok", id="7"))
    assert [one.get_content().strip() for one in node.mailbox(ANN)] == ["once", "ok", "ok"]


def test_marks_end_loops() -> None:
    """What a gateway has sent and comes back bears its count."""
    node, server = pair()
    node.send(ANN, BOB)
    mark = read_message(sole(server)).mark
    server.pong()
    server.say(said("back", f"<hop xmlns='{NS_HOP}'>{mark}</hop>"))
    assert "; 1." in node.mailbox(ANN)[0]["X-Mailnode-Gateway-Hop"]


def test_bounces_stay_out_of_the_chat() -> None:
    """Nothing is sent for a message without a sender."""
    node, server = pair()
    node.send("", BOB)
    assert not server.messages()


def test_long_mail_is_cut_and_says_so() -> None:
    """So does what became of its files."""
    node, server = pair(limit=200)
    node.send(ANN, BOB, text="word " * 1000)
    body = read_message(sole(server)).body
    assert len(body) <= 200
    assert body.endswith("more characters]")


@pytest.mark.parametrize(
    "hostile",
    [
        "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!-- x -->", "<?php x?>", "<message>" + "<a>" * 200, "<message>" + "<a/>" * 20_000,
        "<message><body>" + "x" * 1_100_000, "<message><body>&b;</body></message>", "</message>", "<message><body>\x01",
    ],
)  # fmt: skip
def test_hostile_streams_are_cut(hostile: str) -> None:
    """And made again."""
    node, server = pair()
    server.protocol.dataReceived(hostile.encode())
    assert server.transport.disconnecting
    server.break_off()
    node.advance("5s")
    assert len(node.clock.tcpClients) == 2


def test_a_body_of_line_ends_costs_no_time() -> None:
    """A quarter of a million of them is joined by the parser."""
    node, server = pair()
    server.say(said("x" + "\n" * 250_000 + "y"))
    assert len(node.mailbox(ANN)) == 1


def test_requests_and_presence_are_answered() -> None:
    """What is not known is service-unavailable; answers are not answered."""
    _, server = pair()
    for payload in (
        "http://jabber.org/protocol/disco#info",
        "jabber:iq:version",
        "http://jabber.org/protocol/disco#items",
    ):
        server.say(f"<iq type='get' id='q' from='b@c.example' to='mail.example.org'><query xmlns='{payload}'/></iq>")
        assert server.stanzas.pop()["type"] == "result"
    server.say("<iq type='set' id='q' from='b@c.example'><query xmlns='jabber:iq:roster'/></iq>")
    assert condition_of(server.stanzas.pop()) == "service-unavailable"
    server.say("<iq type='result' id='q' from='b@c.example'/><iq type='error' id='q' from='b@c.example'/>")
    assert not server.stanzas
    server.say(f"<presence type='subscribe' from='b@c.example' to='{JID}'/>")
    assert [one.getAttribute("type") for one in server.stanzas] == ["subscribed", None]


@pytest.mark.parametrize(
    "settings",
    [{"jid": "@"}, {"jid": "a", "server": "nowhere"}, {"jid": "a", "limit": 1}, {"jid": "a", "attachments": "link"}],
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start."""
    with pytest.raises(ValueError, match=r"expected|JID|wants"):
        Xmpp(password="x", **settings)
