"""What the sender is told (RFC 3461, RFC 3464), field by field, and what a message becomes for a peer that knows less."""

import email
import email.policy
import smtplib
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from attrs import frozen

from tests.kit.client import Client, Heard, send
from tests.kit.contents import assert_carried, below_trace, crlf, letter
from tests.kit.dsn import Dsn, read_dsn
from tests.kit.node import Node, settings
from tests.kit.peers import EHLO, Answer, Peer
from tests.kit.ports import free_port
from tests.kit.programs import program
from tests.kit.sinks import Sink, arguments, content
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

PLAIN = "250-peer.example\n250-PIPELINING\n250-ENHANCEDSTATUSCODES\n250 HELP"
"""A peer that has neither 8BITMIME nor SIZE, SMTPUTF8 and DSN."""

FULL = "250-peer.example\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250-DSN\n250 SIZE"
"""A peer that has them all."""


@frozen
class World:
    """A node, and next hops of different minds at domains of their own."""

    node: Node
    plain: Peer
    """plain.test"""
    eight: Peer
    """eight.test: 8BITMIME and SIZE, no DSN."""
    full: Peer
    """full.test: DSN and SMTPUTF8 too."""
    refusing: Peer
    """refusing.test: 550 to who is called nobody, 554 to the content for others."""
    narrow: Peer
    """narrow.test: takes 5000 octets."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start all of them; mail to dead.test is tried again for a moment and then given up."""
    refuse: dict[str, Answer] = {
        "RCPT": lambda line: "550 5.1.1 nobody <of> this\tname" if "nobody" in line else "250 2.1.5 OK",
        ".": "554-5.7.1 we do not like\n554 5.7.1 what you write",
    }
    with (
        Peer({"EHLO": PLAIN}) as plain,
        Peer() as eight,
        Peer({"EHLO": FULL}) as full,
        Peer(refuse) as refusing,
        Peer({"EHLO": EHLO.replace("104857600", "5000")}) as narrow,
    ):
        peers = {"plain": plain, "eight": eight, "full": full, "refusing": refusing, "narrow": narrow}
        ports = {name: peer.port for name, peer in peers.items()} | {"dead": free_port()}
        routes = "".join(
            f'\n[[route]]\nmatch = "{name}.test"\nnext_hop = "[127.0.0.1]:{port}"\n' for name, port in ports.items()
        )
        queue = '\n[queue]\nretry = ["1s"]\njitter = 0.0\nwarn_after = "1s"\ngive_up = "3s"\ndead_after = 50\n'
        lists = '[domain.aliases]\nteam = ["ann", "carl"]\nfriend = ["ann"]\n'
        node = Node(tmp_path_factory.mktemp("dsn") / "node", settings(more=lists + routes + queue))
        try:
            yield World(node.start(), **peers)
        finally:
            node.kill()


def _say(node: Node, sender: str, recipients: list[str], octets: bytes) -> Heard:
    """Carry out a transaction; arguments of MAIL and RCPT as they are."""
    with Client(node.port()) as client:
        client.greet()
        for line in (f"MAIL FROM:{sender}", *(f"RCPT TO:{recipient}" for recipient in recipients)):
            heard = client.say(line)
            assert heard.code == 250, (line, heard)
        return client.content(octets)


def _report(node: Node, to: str, number: int = 1) -> Dsn:
    """Wait for a report, the ``number``-th in this mailbox, take it apart, and check what all have in common."""
    dsn = read_dsn(node.wait_for(to, number)[number - 1])
    message = dsn.message
    assert message["To"].addresses[0].addr_spec == to
    assert "MAILER-DAEMON@mx.example.org" in message["From"]
    assert dsn.about["Reporting-MTA"] == "dns; mx.example.org"
    written, arrived = (parsedate_to_datetime(date) for date in (message["Date"], dsn.about["Arrival-Date"]))
    assert 0 <= (written - arrived).total_seconds() < 60
    for fields in dsn.recipients:
        assert 0 <= (parsedate_to_datetime(fields["Last-Attempt-Date"]) - arrived).total_seconds() < 60
        assert fields["Final-Recipient"].partition("; ")[2] in dsn.text
    return dsn


def _queue_is_empty(node: Node) -> bool:
    return not node.command("queue", "list", "--json").strip()


# --- success --------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3461", "5.2.2")
@pytest.mark.rfc("3464", "2.3")
def test_a_local_delivery_is_reported(world: World) -> None:
    """Through smtplib with all parameters: action delivered, ENVID and ORCPT decoded, the header given back."""
    sent = letter(2000, seed=1)
    with smtplib.SMTP("127.0.0.1", world.node.port(), timeout=30) as client:
        client.ehlo()
        assert client.has_extn("dsn")
        refused = client.sendmail(
            "success@example.org",
            ["ann@example.org"],
            sent,
            mail_options=["ENVID=QQ+2B314+3D159", "RET=FULL"],
            rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Ann+2BShop@Example.ORG"],
        )
    assert not refused
    dsn = _report(world.node, "success@example.org")
    assert dsn.about["Original-Envelope-Id"] == "QQ+314=159"
    assert dsn.only["Original-Recipient"] == "rfc822; Ann+Shop@Example.ORG"
    assert dsn.only["Final-Recipient"] == "rfc822; ann@example.org"
    assert (dsn.only["Action"], dsn.only["Status"]) == ("delivered", "2.0.0")
    assert "Remote-MTA" not in dsn.only
    assert dsn.returned_type == "text/rfc822-headers"
    assert b"\r\n\r\n" not in crlf(dsn.returned).rstrip(b"\r\n")
    assert sent.partition(b"\r\n\r\n")[0] in crlf(dsn.returned)
    assert not dsn.failed
    assert not dsn.delayed
    [arrived] = world.node.wait_for("ann@example.org")
    assert_carried(arrived, sent)


@pytest.mark.rfc("3461", "5.2.2")
def test_a_next_hop_without_dsn_is_where_we_lose_sight(world: World) -> None:
    """Action relayed, the host named; none of the DSN parameters goes to a peer that does not know them."""
    sent = letter(1000, seed=2)
    _say(
        world.node,
        "<relayed@example.org> RET=HDRS ENVID=one",
        ["<ann@eight.test> NOTIFY=SUCCESS ORCPT=rfc822;x@y"],
        sent,
    )
    dsn = _report(world.node, "relayed@example.org")
    assert (dsn.only["Action"], dsn.only["Status"]) == ("relayed", "2.0.0")
    assert dsn.only["Remote-MTA"] == "dns; [127.0.0.1]"
    assert dsn.only["Diagnostic-Code"] == "smtp; 250 2.0.0 taken"
    assert dsn.only["Original-Recipient"] == "rfc822; x@y"
    assert dsn.about["Original-Envelope-Id"] == "one"
    arrived = world.eight.wait_for()[-1]
    assert arrived.recipients == ("<ann@eight.test>",)
    assert arrived.sender.startswith("<relayed@example.org>")
    assert "RET" not in arrived.sender
    assert_carried(arrived.content, sent)


@pytest.mark.rfc("3461", "5.2.1")
def test_a_next_hop_with_dsn_gets_the_wishes(world: World) -> None:
    """NOTIFY, ORCPT, RET and ENVID go along as they came, still encoded, and no report is written."""
    rcpt = "<ann@full.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c+3Dd"
    _say(world.node, "<passed@example.org> RET=HDRS ENVID=a+2Bb", [rcpt, "<carl@full.test> NOTIFY=NEVER"], letter(1000))
    arrived = world.full.wait_for()[-1]
    mail, first, second = arrived.sender.split(), arrived.recipients[0].split(), arrived.recipients[1].split()
    assert mail[0] == "<passed@example.org>"
    assert {"RET=HDRS", "ENVID=a+2Bb"} <= set(mail)
    assert first[0] == "<ann@full.test>"
    assert set(first[1:]) == {"NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;a+2Bb@c+3Dd"}
    assert second == ["<carl@full.test>", "NOTIFY=NEVER"]
    until(lambda: _queue_is_empty(world.node), 5, "it waits")
    assert not world.node.names("passed@example.org")


@pytest.mark.rfc("3461", "5.2.7.3")
def test_a_list_is_reported_as_expanded(world: World) -> None:
    """Once, for the list itself, whatever becomes of its members."""
    _say(world.node, "<listed@example.org>", ["<team@example.org> NOTIFY=SUCCESS,FAILURE"], letter(500))
    dsn = _report(world.node, "listed@example.org")
    assert (dsn.only["Action"], dsn.only["Final-Recipient"]) == ("expanded", "rfc822; team@example.org")
    until(lambda: _queue_is_empty(world.node), 5, "it waits")
    assert len(world.node.names("listed@example.org")) == 1


@pytest.mark.rfc("3461", "5.2.7.1")
def test_an_alias_hands_the_wishes_on(world: World) -> None:
    """An alias of one: delivered, the original recipient is what the sender wrote in ORCPT."""
    _say(
        world.node,
        "<aliased@example.org>",
        ["<friend@example.org> NOTIFY=SUCCESS ORCPT=rfc822;friend@example.org"],
        letter(500),
    )
    dsn = _report(world.node, "aliased@example.org")
    assert dsn.only["Action"] == "delivered"
    assert dsn.only["Original-Recipient"] == "rfc822; friend@example.org"
    assert dsn.only["Final-Recipient"] == "rfc822; ann@example.org"


@pytest.mark.rfc("3461", "5.2.3")
def test_two_nodes_that_both_know_dsn(make_node: MakeNode, tmp_path: Path) -> None:
    """The first passes NOTIFY on, the second delivers and reports; the report finds its way back, once."""
    back = free_port()
    route = '\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{}"\n'
    second = make_node(
        settings(hostname="second.test", domains={"second.test": "any"}, more=route.format(back)), "second"
    )
    first = make_node(
        settings(
            more=route.format(second.port())
            + f'\n[[listener]]\nname = "back"\nendpoint = "tcp:{back}:interface=127.0.0.1"\n'
        ),
        "first",
    )
    sent = letter(1000, seed=3)
    _say(first, "<bob@example.org> ENVID=x1", ["<ann@second.test> NOTIFY=SUCCESS"], sent)
    [arrived] = second.wait_for("ann@second.test")
    assert_carried(arrived, sent)
    dsn = read_dsn(first.wait_for("bob@example.org")[0])
    assert dsn.about["Reporting-MTA"] == "dns; second.test"
    assert dsn.about["Original-Envelope-Id"] == "x1"
    assert dsn.only["Action"] == "delivered"
    until(lambda: _queue_is_empty(first) and _queue_is_empty(second), 5, "something waits")
    assert len(first.names("bob@example.org")) == 1


# --- failure --------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3464", "2.3.4")
def test_a_refusal_is_reported_in_the_words_of_the_host(world: World) -> None:
    """Two recipients, refused at RCPT and at the content: one report with each one's words, the message given back whole."""
    sent = letter(3000, seed=4)
    _say(world.node, "<refused@example.org> ENVID=e2", ["<nobody@refusing.test>", "<carl@refusing.test>"], sent)
    dsn = _report(world.node, "refused@example.org")
    nobody, carl = sorted(dsn.recipients, key=lambda fields: fields["Status"])
    assert (nobody["Action"], nobody["Status"]) == ("failed", "5.1.1")
    assert nobody["Diagnostic-Code"] == "smtp; 550 5.1.1 nobody <of> this name"
    assert (carl["Action"], carl["Status"]) == ("failed", "5.7.1")
    assert carl["Diagnostic-Code"] == "smtp; 554-5.7.1 we do not like 554 5.7.1 what you write"
    assert nobody["Remote-MTA"] == carl["Remote-MTA"] == "dns; [127.0.0.1]"
    assert dsn.failed == {"nobody@refusing.test", "carl@refusing.test"}
    assert dsn.returned_type == "message/rfc822"
    assert below_trace(dsn.returned) == sent
    assert dsn.about["Original-Envelope-Id"] == "e2"


@pytest.mark.rfc("3461", "4.3")
@pytest.mark.parametrize(("ret", "whole"), [("RET=HDRS", False), ("RET=FULL", True), ("", True)])
def test_ret_says_how_much_comes_back(world: World, ret: str, whole: bool) -> None:
    """RET=HDRS gives the header alone; without RET a small message comes back as a whole."""
    to = f"ret{ret[4:].lower()}@example.org"
    sent = letter(3000, seed=5)
    _say(world.node, f"<{to}> {ret}".strip(), ["<nobody@refusing.test>"], sent)
    dsn = _report(world.node, to)
    assert dsn.returned_type == ("message/rfc822" if whole else "text/rfc822-headers")
    assert (sent.partition(b"\r\n\r\n")[2] in crlf(dsn.returned)) is whole
    assert sent.partition(b"\r\n\r\n")[0] in crlf(dsn.returned)


@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize("notify", ["NEVER", "SUCCESS", "DELAY"])
def test_who_does_not_want_to_know_is_not_told(world: World, notify: str) -> None:
    """A failure with NOTIFY=NEVER, or only SUCCESS or DELAY asked for: silence."""
    sender = f"silent.{notify.lower()}@example.org"
    _say(world.node, f"<{sender}>", [f"<nobody@refusing.test> NOTIFY={notify}"], letter(500))
    until(lambda: _queue_is_empty(world.node), 10, "it waits")
    assert not world.node.names(sender)


@pytest.mark.rfc("5321", "4.5.5")
@pytest.mark.rfc("3461", "4.1")
def test_the_null_reverse_path_is_never_told(world: World) -> None:
    """Success, failure and delay with MAIL FROM:<>: the postmaster hears nothing either, and no mail leaves."""
    before = world.node.names("postmaster@example.org")
    for to in ("ann@example.org", "nobody@refusing.test", "x@dead.test"):
        _say(world.node, "<>", [f"<{to}> NOTIFY=SUCCESS,FAILURE,DELAY"], letter(500, seed=6))
    # A notification of ours would be tried for bounce_give_up; what is dropped is gone.
    world.node.command("queue", "remove", "--domain", "dead.test", check=False)
    until(lambda: "a notification to <nobody@refusing.test> failed" in world.node.log(), 5, "nothing was dropped")
    assert world.node.names("postmaster@example.org") == before
    folders = [path.name for path in (world.node.data / "mail" / "example.org").iterdir()]
    assert not {"mailer-daemon", "<>", ""} & set(folders)


def test_swaks_asks_for_a_report(world: World) -> None:
    """As a person would: swaks with NOTIFY and ORCPT on its addresses."""
    command = [program("swaks"), "--server", "127.0.0.1", "--port", str(world.node.port()), "--body", "hello"]
    options = ["--from", "swaks@example.org", "--to", "nobody@refusing.test"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout
    dsn = _report(world.node, "swaks@example.org")
    assert dsn.failed == {"nobody@refusing.test"}
    assert b"hello" in dsn.returned


# --- delay ----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "4.5.4.1")
@pytest.mark.rfc("3464", "2.3.9")
def test_a_dead_host_a_warning_and_the_end(world: World) -> None:
    """warn_after: one delayed report with Will-Retry-Until; give_up: a failed one with 4.4.7; for NOTIFY=FAILURE only the last."""
    sent = letter(1000, seed=7)
    _say(world.node, "<waiting@example.org>", ["<ann@dead.test>"], sent)
    _say(world.node, "<patient@example.org>", ["<ann@dead.test> NOTIFY=FAILURE"], sent)
    warning = _report(world.node, "waiting@example.org")
    assert (warning.only["Action"], warning.only["Status"][:2]) == ("delayed", "4.")
    until_when = parsedate_to_datetime(warning.only["Will-Retry-Until"])
    assert 2 <= (until_when - parsedate_to_datetime(warning.about["Arrival-Date"])).total_seconds() <= 4
    assert warning.delayed == {"ann@dead.test"}
    assert not warning.failed
    assert warning.returned_type == "text/rfc822-headers"
    failure = _report(world.node, "waiting@example.org", 2)
    assert (failure.only["Action"], failure.only["Status"]) == ("failed", "4.4.7")
    assert failure.failed == {"ann@dead.test"}
    assert "Will-Retry-Until" not in failure.only
    assert below_trace(failure.returned) == sent
    [alone] = world.node.wait_for("patient@example.org")
    assert read_dsn(alone).only["Action"] == "failed"


# --- for peers that know less -----------------------------------------------------------------------------------------


def _mail(charset: str, encoding: str, text: bytes, sender: str = "bob@example.org") -> bytes:
    return (
        f"From: {sender}\r\nTo: ann@plain.test\r\nSubject: eight\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    ).encode() + text


def _parsed(octets: bytes) -> EmailMessage:
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


WORDS = "Grüße aus Köln.\r\nFrom = here\r\n.\r\nline with a blank at its end \r\n" + "ä" * 400 + "\r\n"

PARTS = (
    b"From: bob@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\npreamble\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n" + WORDS.encode() + b"\r\n--B\r\nContent-Type: application/x-any\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n\xff\xfe\xfd\r\nx\r\n--B\r\n\r\nplain\r\n--B--\r\n"
)


@pytest.mark.rfc("6152", "3")
def test_eight_bit_text_is_encoded_for_a_seven_bit_peer(world: World) -> None:
    """Every octet on the way is ASCII, no line is too long, and the decoded text is the one that was sent."""
    before = len(world.plain.arrived)
    _say(world.node, "<bob@example.org> BODY=8BITMIME", ["<ann@plain.test>"], _mail("utf-8", "8bit", WORDS.encode()))
    arrived = world.plain.wait_for(before + 1)[-1]
    assert "BODY" not in arrived.sender
    assert arrived.content.isascii()
    assert max(map(len, arrived.content.split(b"\r\n"))) <= 998
    message = _parsed(arrived.content)
    assert message["Content-Transfer-Encoding"] in ("quoted-printable", "base64")
    assert message.get_payload(decode=True) == WORDS.encode()


@pytest.mark.rfc("6152", "3")
def test_each_part_is_encoded_by_itself(world: World) -> None:
    """A multipart: the text, the octets and the plain part decode to what they were."""
    before = len(world.plain.arrived)
    _say(world.node, "<bob@example.org> BODY=8BITMIME", ["<ann@plain.test>"], PARTS)
    arrived = world.plain.wait_for(before + 1)[-1]
    assert arrived.content.isascii()
    text, octets, plain = (part.get_payload(decode=True) for part in _parsed(arrived.content).iter_parts())
    assert text == WORDS.encode()
    assert octets == b"\xff\xfe\xfd\r\nx"
    assert plain == b"plain"


def test_smtp_sink_without_8bitmime(make_node: MakeNode, tmp_path: Path) -> None:
    """The same against Postfix's sink with 8BITMIME off."""
    with Sink(tmp_path / "sink", "-8") as sink:
        node = make_node(settings(more=f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{sink.port}"\n'))
        text = WORDS.encode() + b"end\r\n"
        _say(node, "<bob@example.org> BODY=8BITMIME", ["<ann@plain.test>"], _mail("utf-8", "8bit", text))
        [arrived] = sink.wait_for()
        assert arrived.isascii()
        assert "BODY" not in arguments(arrived, "Mail")[0]
        assert _parsed(content(arrived)).get_payload(decode=True) == text.replace(b"\r\n", b"\n")


def test_an_eight_bit_peer_gets_eight_bits(world: World) -> None:
    """Nothing is changed for a peer that has 8BITMIME, and BODY says what comes."""
    before = len(world.eight.arrived)
    sent = _mail("utf-8", "8bit", WORDS.encode())
    _say(world.node, "<bob@example.org> BODY=8BITMIME", ["<ann@eight.test>"], sent)
    arrived = world.eight.wait_for(before + 1)[-1]
    assert "BODY=8BITMIME" in arrived.sender
    assert_carried(arrived.content, sent)


@pytest.mark.rfc("6531", "3.6")
@pytest.mark.parametrize(
    ("sender", "to", "subject"),
    [
        ("utf.header@example.org", "ann@plain.test", "Grüße"),
        ("utf.rcpt@example.org", "änn@plain.test", "plain"),
        ("ütf.sender@example.org", "ann@plain.test", "plain"),
    ],
)
def test_what_needs_smtputf8_is_returned(world: World, sender: str, to: str, subject: str) -> None:
    """A header field or an address in UTF-8 cannot go to a peer without SMTPUTF8: 5.6.7, in a report as RFC 6533 has it."""
    before = len(world.plain.arrived)
    sent = f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\ntext\r\n".encode()
    _say(world.node, f"<{sender}> SMTPUTF8 BODY=8BITMIME", [f"<{to}>"], sent)
    octets = world.node.wait_for(sender)[0]
    dsn = read_dsn(octets)
    assert (dsn.only["Action"], dsn.only["Status"]) == ("failed", "5.6.7")
    assert b"Content-Type: message/global-delivery-status" in octets
    assert dsn.only["Final-Recipient"] == ("rfc822; " if to.isascii() else "utf-8; ") + to
    assert subject.encode() in dsn.returned
    assert len(world.plain.arrived) == before


@pytest.mark.rfc("6531", "3.6")
def test_smtputf8_that_is_not_needed_is_left_out(world: World) -> None:
    """Said by the client though all is ASCII, or a U-label alone: it goes plain, the domain in A-labels."""
    before = len(world.plain.arrived)
    _say(world.node, "<bob@bücher.example> SMTPUTF8", ["<ann@plain.test>"], letter(500, seed=8))
    arrived = world.plain.wait_for(before + 1)[-1]
    assert arrived.sender == "<bob@xn--bcher-kva.example>"


@pytest.mark.rfc("6531", "3.4")
def test_a_peer_with_smtputf8_gets_it_as_it_is(world: World) -> None:
    """Addresses and fields in UTF-8 travel unchanged, SMTPUTF8 said."""
    before = len(world.full.arrived)
    sent = "From: <bøb@example.org>\r\nSubject: Grüße\r\n\r\ntext\r\n".encode()
    _say(world.node, "<bøb@example.org> SMTPUTF8 BODY=8BITMIME", ["<änn@full.test>"], sent)
    arrived = world.full.wait_for(before + 1)[-1]
    assert arrived.sender.split()[0] == "<bøb@example.org>"
    assert {"SMTPUTF8", "BODY=8BITMIME"} <= set(arrived.sender.split())
    assert arrived.recipients == ("<änn@full.test>",)
    assert_carried(arrived.content, sent)


@pytest.mark.rfc("1870", "6.2")
def test_what_is_too_big_is_not_even_sent(world: World) -> None:
    """The peer says SIZE 5000: a larger message comes back with 5.3.4 and no MAIL was said; a smaller one goes."""
    assert send(world.node.port(), "small@example.org", ["ann@narrow.test"], letter(3000)).code == 250
    world.narrow.wait_for(1)
    mails = sum(line.startswith("MAIL") for line in world.narrow.commands)
    assert send(world.node.port(), "large@example.org", ["ann@narrow.test"], letter(9000)).code == 250
    dsn = _report(world.node, "large@example.org")
    assert (dsn.only["Action"], dsn.only["Status"]) == ("failed", "5.3.4")
    assert "Remote-MTA" not in dsn.only
    assert sum(line.startswith("MAIL") for line in world.narrow.commands) == mails
    assert "SIZE=" in world.narrow.arrived[0].sender


# --- octets by BDAT ---------------------------------------------------------------------------------------------------


@pytest.mark.rfc("3030", "3")
def test_binary_content_lies_in_the_mailbox_byte_for_byte(make_node: MakeNode) -> None:
    """BINARYMIME in chunks cut anywhere: NULs, lone CRs and LFs and dots, all there (line ends kept as they came)."""
    node = make_node(settings(more='\n[maildir]\nline_ends = "crlf"\n'))
    body = bytes(range(256)) * 300 + b"\r\n.\r\n\0\r\r\n\n.\n" + b"\0" * 5000
    sent = b"From: bob@example.net\r\nContent-Transfer-Encoding: binary\r\n\r\n" + body
    with Client(node.port()) as client:
        assert "BINARYMIME" in client.greet().text
        assert client.say("MAIL FROM:<bob@example.net> BODY=BINARYMIME").code == 250
        assert client.say("RCPT TO:<ann@example.org>").code == 250
        assert client.say("DATA").code == 503
        for start in range(0, len(sent), 7001):
            chunk = sent[start : start + 7001]
            last = " LAST" if start + 7001 >= len(sent) else ""
            client.write(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
            assert client.hear().code == 250
    [arrived] = node.wait_for("ann@example.org")
    assert arrived.endswith(sent)
    assert below_trace(arrived[: -len(sent)]) in (b"", b"\r\n")


@pytest.mark.rfc("3030", "3")
def test_binary_content_goes_on_as_base64(world: World) -> None:
    """To a peer by DATA: encoded, and decoded it is what came."""
    before = len(world.eight.arrived)
    body = bytes(range(256)) * 3
    sent = (
        b"From: bob@example.org\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n" + body
    )
    with Client(world.node.port()) as client:
        client.greet()
        client.say("MAIL FROM:<bob@example.org> BODY=BINARYMIME")
        client.say("RCPT TO:<ann@eight.test>")
        client.write(f"BDAT {len(sent)} LAST\r\n".encode() + sent)
        assert client.hear().code == 250
    message = _parsed(world.eight.wait_for(before + 1)[-1].content)
    assert message["Content-Transfer-Encoding"] == "base64"
    assert message.get_payload(decode=True) == body
