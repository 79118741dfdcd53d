"""Mail and XMPP on a real node: prosody is the server, slixmpp the people, smtplib who sends mail."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest

from tests.kit.node import Node, settings
from tests.kit.pki import Authority
from tests.kit.prosody import COMPONENT, PASSWORD, SECRET, Person, Prosody
from tests.kit.waiting import until

pytestmark = pytest.mark.scenario

ANN = "ann@example.org"
ANNS_JID = rf"ann\40example.org@{COMPONENT}"
BOB = "bob.chat.example@xmpp.example.org"
GATEWAY = """
[gateway.xmpp]
kind = "mailnode.shipped.xmpp.gateway:Xmpp"
jid = "{jid}"
password = "{password}"
server = "tcp:127.0.0.1:{port}"
tls = "none"

[gateway.xmpp.queue]
retry = ["1s"]
breaker_pause = "1s"

[[domain]]
name = "xmpp.example.org"
courier = "xmpp"
accounts = "any"
"""


@pytest.fixture
def prosody() -> Iterator[Prosody]:
    """Give a server with two accounts."""
    with Prosody("bob", "bot") as server:
        yield server


@pytest.fixture
def node(prosody: Prosody, tmp_path: Path) -> Iterator[Node]:
    """Give a node whose gateway is a component of the server."""
    more = GATEWAY.format(jid=COMPONENT, password=SECRET, port=prosody.component)
    made = Node(tmp_path / "node", settings(more=more))
    made.start()
    yield made
    made.kill()


def send(node: Node, to: str, subject: str, text: str, **fields: str) -> str:
    """Send a mail of Ann's and give its Message-ID."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ANN, to, subject
    mail["Message-ID"] = f"<{subject.replace(' ', '-').replace(':', '')}@example.org>"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    with smtplib.SMTP("127.0.0.1", node.port(), timeout=20) as client:
        client.send_message(mail)
    return str(mail["Message-ID"])


def mails(node: Node, count: int) -> list[EmailMessage]:
    """Wait for mail to Ann and read it."""
    return [BytesParser(policy=default).parsebytes(octets) for octets in node.wait_for(ANN, count)]


def test_there_and_back_in_one_thread(node: Node, prosody: Prosody, tmp_path: Path) -> None:
    """Mail reaches a person, the answer comes back into the mail's thread, and so on."""
    with Person(prosody, "bob", tmp_path) as bob:
        first = send(node, BOB, "Lunch", "Noon?\n\nGrüße & <b>")
        (message,) = bob.wait("message")
        assert message["body"] == "Subject: Lunch\n\nNoon?\n\nGrüße & <b>"
        assert (message["sender"], message["subject"]) == (ANNS_JID, "Lunch")
        bob.say(to=ANNS_JID, body="Yes.", thread=message["thread"])
        (answer,) = mails(node, 1)
        assert (answer["In-Reply-To"], answer["References"], answer["Subject"]) == (first, first, "Re: Lunch")
        assert answer["From"].addresses[0].addr_spec == BOB
        assert answer.get_content().strip() == "Yes."
        assert "with XMPP" in answer["Received"]
        bob.wait("receipt")
        send(
            node,
            BOB,
            "Re: Lunch",
            "Good.",
            In_Reply_To=answer["Message-ID"],
            References=f"{first} {answer['Message-ID']}",
        )
        second = bob.wait("message", 2)[1]
        assert (second["thread"], second["body"]) == (message["thread"], "Good.")
        bob.say(to=ANNS_JID, body="See you.")
        last = mails(node, 2)[1]
        assert last["In-Reply-To"] == "<Re-Lunch@example.org>"
        assert first in last["References"]


def test_a_person_writes_first_and_asks_who_is_there(node: Node, prosody: Prosody, tmp_path: Path) -> None:
    """A JID stands for each address; what is refused comes back as an error."""
    with Person(prosody, "bob", tmp_path) as bob:
        bob.say(to=f"ann%example.org@{COMPONENT}", body="Hello from far away", thread="t1")
        (mail,) = mails(node, 1)
        assert mail["Subject"] == "Hello from far away"
        send(node, BOB, "Re: Hello", "Hi", References=mail["Message-ID"])
        assert bob.wait("message")[0]["thread"] == "t1"
        bob.say(to=rf"x\40elsewhere.example@{COMPONENT}", body="relay?")
        assert bob.wait("error")[0]["condition"] == "forbidden"
        bob.say(info=ANNS_JID)
        assert "urn:xmpp:receipts" in bob.wait("info")[0]["features"]


def test_an_unknown_person_bounces(node: Node) -> None:
    """At once, with what the server said."""
    send(node, "nobody.chat.example@xmpp.example.org", "Anybody", "there?")
    (bounce,) = mails(node, 1)
    assert "service-unavailable" in " ".join(bounce.as_string().split())


def test_the_server_goes_and_comes_back(node: Node, prosody: Prosody, tmp_path: Path) -> None:
    """What was sent while it was away arrives, each once, and answers come back."""
    with Person(prosody, "bob", tmp_path) as bob:
        send(node, BOB, "before", "1")
        bob.wait("message")
    prosody.stop()
    for number in (2, 3):
        send(node, BOB, f"meanwhile {number}", str(number))
    until(lambda: "xmpp:" in node.command("queue", "list"), 10, "nothing waits")
    prosody.start()
    (tmp_path / "again").mkdir()
    with Person(prosody, "bob", tmp_path / "again") as bob:
        until(lambda: not node.command("queue", "list", "--json").strip("[]\n "), 30, node.log)
        bodies = [one["body"] for one in bob.wait("message", 2)]
        assert sorted(bodies) == ["Subject: meanwhile 2\n\n2", "Subject: meanwhile 3\n\n3"]
        bob.say(to=ANNS_JID, body="all well")
        assert mails(node, 1)[0]["In-Reply-To"]
        assert len(bob.heard("message")) == 2


def test_as_an_account(prosody: Prosody, tmp_path: Path) -> None:
    """One JID for all mail: the body tells who writes, and the answer finds its way."""
    more = GATEWAY.format(jid="bot@chat.example", password=PASSWORD, port=prosody.client)
    node = Node(tmp_path / "node", settings(more=more.replace("tls =", f'to = "{ANN}"\ntls =')))
    node.start()
    try:
        with Person(prosody, "bob", tmp_path) as bob:
            first = send(node, BOB, "Lunch", "Noon?")
            (message,) = bob.wait("message")
            assert message["body"] == f"From: {ANN}\nSubject: Lunch\n\nNoon?"
            bob.say(to=message["sender"], body="Yes.")
            assert mails(node, 1)[0]["In-Reply-To"] == first
    finally:
        node.kill()


@pytest.mark.parametrize("is_known", [True, False])
def test_an_account_logs_in_by_tls(is_known: bool, tmp_path: Path) -> None:
    """When the certificate is one to be trusted, and else not."""
    authority = Authority()
    trusted = authority if is_known else Authority("Another")
    (tmp_path / "ca.pem").write_bytes(trusted.identity.pem)
    more = GATEWAY.replace("tls =", "# tls =")
    with Prosody("bob", "bot", identity=authority.sign("chat.example")) as prosody:
        written = more.format(jid="bot@chat.example", password=PASSWORD, port=prosody.client)
        node = Node(tmp_path / "node", settings(more=written), environment={"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
        node.start()
        try:
            what = "is connected to" if is_known else "cannot reach"
            until(lambda: what in node.log(), 20, lambda: f"{node.log()}\n{prosody.log()}")
            assert ("is connected to" in node.log()) == is_known
        finally:
            node.kill()
