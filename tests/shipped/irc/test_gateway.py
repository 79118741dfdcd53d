"""Tests of the IRC gateway as a whole, in memory: mail out, words in, trouble of every kind."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.shipped.irc.gateway import Irc
from mailnode.testing.api import MemoryNode
from tests.kit.ircd import MemoryIrcd

ANN = "ann@home.example"
HELP = "help@home.example"
OPS = "channel.ops@irc.example"
BOB = "bob@irc.example"


def both(config: str = "", **settings: Any) -> tuple[MemoryNode, MemoryIrcd]:
    """Make a node and the server it is connected to."""
    chosen: dict[str, Any] = {
        "endpoint": "tcp:127.0.0.1:6667", "nick": "mailnode", "channels": ["#ops", "#help key"],
        "may_write_to": ["@home.example"], "mail": {"#help": HELP}, **settings,
    }  # fmt: skip
    node = MemoryNode(Irc(**chosen), domain="irc.example", config=config)
    return node, MemoryIrcd(node)


def text_of(mail: Any) -> str:
    """Give a mail's text with LF line ends."""
    return str(mail.get_content()).replace("\r\n", "\n")


# --- out


def test_mail_becomes_lines_in_a_channel() -> None:
    """Who, about what, and the sender's own words, line by line."""
    node, server = both()
    node.send(
        ANN, OPS, subject="Disk full", text="Please look.\n\nSoon\x03 4\r\n\nOn Monday Bob wrote:\n> old\n-- \nAnn"
    )
    assert server.said == [f"#ops :{ANN}: Disk full", "#ops :Please look.", "#ops :Soon 4"]
    assert not node.queue()
    assert not node.mailbox(ANN)


def test_nothing_in_a_mail_can_be_a_command() -> None:
    """Neither its subject nor its text."""
    node, server = both()
    node.send(ANN, BOB, subject="x\r\nQUIT :bye", text="\x01DCC SEND x\x01\rJOIN #evil\n/quit")
    assert not any(line.startswith(("QUIT", "JOIN #evil")) for line in server.lines)
    assert all(one.startswith("bob :") and "\x01" not in one for one in server.said)


@pytest.mark.rfc("2812", "2.3")
def test_long_lines_are_cut_and_long_mails_say_so() -> None:
    """No line is longer than the server passes on, and the missing ones are counted."""
    node, server = both(max_lines=4, burst=10)
    node.send(ANN, OPS, text="ä" * 3000)
    assert len(server.said) == 4
    assert "more lines]" in server.said[-1]
    assert all(len(f":mailnode!{'u' * 11}@{'h' * 63} NOTICE {one}\r\n".encode()) <= 512 for one in server.said)


def test_lines_keep_the_pace() -> None:
    """A few at once, then one every two seconds."""
    node, server = both(burst=2, max_lines=6)
    node.send(ANN, OPS, text="1\n2\n3")
    assert len(server.said) == 2
    node.advance(1.9)
    assert len(server.said) == 2
    node.advance(0.2)
    assert len(server.said) == 3
    node.advance(2)
    assert len(server.said) == 4
    assert not node.queue()


def test_who_is_not_there_bounces_with_the_words_of_the_server() -> None:
    """401 is 5.1.1, unless he is to be waited for."""
    node, server = both()
    server.nobody.add("bob")
    node.send(ANN, BOB)
    assert "401 It cannot be" in node.mailbox(ANN)[0].as_string()
    node, server = both(absent_wait=3600)
    server.nobody.add("bob")
    node.send(ANN, BOB)
    assert "bob is not there" in node.queue()[0].reason
    server.nobody.clear()
    node.advance("1h")
    assert len(server.said) == 2
    assert not node.mailbox(ANN)


@pytest.mark.rfc("2812", "3.3.2")
def test_a_notice_asks_for_the_person_first() -> None:
    """Servers tell no errors of notices."""
    node, server = both(form="notice")
    server.nobody.add("bob")
    node.send(ANN, BOB)
    assert "nobody of that name" in node.mailbox(ANN)[0].as_string()
    server.nobody.clear()
    node.send(ANN, BOB)
    assert "NOTICE bob :Hello." in server.lines


@pytest.mark.parametrize("number", ["404", "437"])
def test_what_may_change_is_tried_again(number: str) -> None:
    """A moderated channel keeps the message waiting, with the reason in the queue."""
    node, server = both()
    server.errors["#ops"] = number
    node.send(ANN, OPS)
    assert f"{number} It cannot be" in node.queue()[0].reason
    server.errors.clear()
    node.advance("1h")
    assert len(server.said) == 2


@pytest.mark.parametrize(("number", "is_final"), [("474", True), ("473", False)])
def test_channels_that_do_not_let_us_in(number: str, is_final: bool) -> None:
    """Banned for ever, or not invited yet."""
    node, server = both()
    server.no_join["#ops"] = number
    server.hang_up()
    node.advance(3)
    node.send(ANN, OPS)
    assert bool(node.mailbox(ANN)) == is_final
    assert bool(node.queue()) != is_final
    assert not server.said


def test_channels_are_joined_with_their_keys_and_again_after_a_kick() -> None:
    """Not only at the beginning."""
    node, server = both()
    assert "JOIN #help key" in server.lines
    server.send(":eve!u@h KICK #ops mailnode :out")
    node.send(ANN, OPS)
    assert [line for line in server.lines if line == "JOIN #ops"] == ["JOIN #ops"] * 2
    assert len(server.said) == 2


def test_only_allowed_channels_and_no_services() -> None:
    """At RCPT."""
    node, _ = both()
    for local_part in ("channel.other", "NickServ", "mailnode", "not=20a=20nick"):
        with pytest.raises(Exception, match="5"):
            node.send(ANN, f"{local_part}@irc.example")
    node, _ = both(people=False)
    with pytest.raises(Exception, match="5"):
        node.send(ANN, BOB)


# --- the connection


def test_a_broken_connection_loses_nothing_and_goes_on_where_it_was() -> None:
    """What the server has confirmed does not come again."""
    node, server = both(burst=2, pace=0)
    server.breaks_after = 4
    node.send(ANN, OPS, text="1\n2\n3\n4\n5")
    assert node.queue()
    node.advance("1h")
    assert not node.queue()
    said = [one.partition(":")[2] for one in server.said]
    assert said == [f"{ANN}: Hello", "1", "2", "3", "2", "3", "4", "5"], (
        "only what was behind the last PONG comes twice"
    )


def test_a_server_that_is_away_keeps_mail_waiting() -> None:
    """And it comes back by itself, later each time."""
    node, server = both()
    server.is_there = False
    server.hang_up()
    node.send(ANN, OPS)
    assert "no connection to IRC" in node.queue()[0].reason
    node.advance("20m")
    server.is_there = True
    node.advance("1h")
    assert len(server.said) == 2
    assert not node.queue()


def test_a_server_that_does_not_answer_is_left() -> None:
    """No PONG, no Delivered; the connection is made anew."""
    node, server = both()
    server.is_silent = True
    node.send(ANN, OPS)
    assert len(server.said) == 2
    node.advance(31)
    assert "4.4.2" in node.queue()[0].reason
    server.is_silent = False
    node.advance("1h")
    assert not node.queue()


def test_a_nick_in_use_is_had_later() -> None:
    """Another one for the time being, and the wanted one as soon as it is free; both are heard."""
    node = MemoryNode(Irc(endpoint="tcp:127.0.0.1:6667", nick="mailnode", mail={"private": ANN}), domain="irc.example")
    server = MemoryIrcd.__new__(MemoryIrcd)
    node.clock.tcpClients, pending = [], list(node.clock.tcpClients)
    MemoryIrcd.__init__(server, node, in_use={"mailnode"})
    server._connect("", 0, pending[0][2])
    assert server.nick.startswith("mailno")
    assert server.nick != "mailnode"
    server.in_use.clear()
    node.advance(61)
    assert server.nick == "mailnode"


@pytest.mark.rfc("4616", "2")
def test_sasl_with_a_password_from_a_file(tmp_path: Path) -> None:
    """PLAIN, before the end of registration, and no log knows it."""
    path = tmp_path / "password"
    path.write_text("hush\n")
    node, server = both(endpoint="tcp:127.0.0.1:6667", login="sasl", account="me", password_file=str(path))
    assert "AUTHENTICATE bWUAbWUAaHVzaA==" in server.lines
    assert server.lines.index("CAP END") > server.lines.index("AUTHENTICATE PLAIN")
    node.send(ANN, OPS)
    assert len(server.said) == 2


@pytest.mark.parametrize("answer", ["904", ""])
def test_without_proof_nothing_is_said(answer: str, tmp_path: Path) -> None:
    """A password that is not taken, and a server that knows no SASL."""
    path = tmp_path / "password"
    path.write_text("hush\n")
    node, server = _denied(path, answer)
    node.send(ANN, OPS)
    assert not server.said
    assert node.queue()[0].reason.startswith("451 4.4.1")


def _denied(path: Path, answer: str) -> tuple[MemoryNode, MemoryIrcd]:
    node = MemoryNode(
        Irc(endpoint="tcp:127.0.0.1:1", nick="mailnode", channels=["#ops"], login="sasl", password_file=str(path)),
        domain="irc.example",
    )
    return node, MemoryIrcd(node, sasl=answer)


def test_nickserv_and_a_password_for_the_server(tmp_path: Path) -> None:
    """The two older ways."""
    path = tmp_path / "password"
    path.write_text("hush\n")
    _, server = both(login="nickserv", password_file=str(path))
    assert "PRIVMSG NickServ :IDENTIFY hush" in server.lines
    _, server = both(login="server", password_file=str(path))
    assert server.lines[0] == "PASS hush"


# --- in


def test_a_mention_becomes_mail() -> None:
    """From the nick, to the address, with answers going to the channel; lines soon after belong to it."""
    node, server = both()
    server.says("bob", "#ops", "mailnode: to ann@home.example: the disk is full")
    node.advance(5)
    server.says("bob", "#ops", "mailnode: really")
    server.says("eve", "#ops", "mailnode is a bot")
    node.advance(9)
    assert not node.mailbox(ANN)
    node.advance(2)
    (mail,) = node.mailbox(ANN)
    assert (mail["From"], mail["Reply-To"]) == ("bob <bob@irc.example>", OPS)
    assert mail["Subject"] == "bob in #ops: the disk is full"
    assert text_of(mail) == "the disk is full\nreally\n"


def test_an_answer_by_mail_goes_back_to_the_channel_and_names_the_person() -> None:
    """And the answer to that is in the thread of the mail."""
    node, server = both()
    server.says("bob", "#ops", "mailnode: to ann@home.example: the disk is full")
    node.advance(11)
    (mail,) = node.mailbox(ANN)
    node.send(ANN, OPS, subject=f"Re: {mail['Subject']}", text="I know.", in_reply_to=mail["Message-ID"])
    assert server.said[0].startswith(f"#ops :bob: {ANN}: Re: bob in #ops")
    server.says("bob", "#ops", "mailnode: thanks")
    node.advance(11)
    answer = node.mailbox(ANN)[1]
    assert answer["In-Reply-To"]
    assert answer["Subject"] == "Re: bob in #ops: the disk is full"


def test_a_private_talk() -> None:
    """Mail to a person, the answer, both ways."""
    node, server = both()
    node.send(ANN, BOB, subject="Lunch?", text="At noon?")
    assert server.said == [f"bob :{ANN}: Lunch?", "bob :At noon?"]
    server.says("Bob", "mailnode", "yes")
    node.advance(11)
    (mail,) = node.mailbox(ANN)
    assert (mail["From"], mail["Subject"]) == ("Bob <Bob@irc.example>", "Re: Lunch?")
    assert mail["In-Reply-To"]
    assert mail["Reply-To"] is None


def test_what_is_said_to_nobody_goes_to_the_address_of_the_channel() -> None:
    """By prefix; where there is no address, who said it is told so in a notice."""
    node, server = both()
    server.says("bob", "#help", "!mail it does not work")
    server.says("bob", "#ops", "mailnode: hello?")
    node.advance(11)
    assert len(node.mailbox(HELP)) == 1
    assert server.said == ['bob :say "to ann@example.com: text" to send a mail']


def test_not_everybody_may_be_written_to() -> None:
    """Neither foreign addresses, nor from foreign channels, nor without end."""
    node, server = both(may_write_to=["ann@home.example"], window=1)
    server.says("bob", "#ops", "mailnode: to eve@home.example: hi")
    server.says("bob", "#other", "mailnode: to ann@home.example: hi")
    server.says("bob smith", "#ops", "mailnode: to ann@home.example: hi")
    node.advance(11)
    assert not node.mailbox(ANN)
    assert server.said == ["bob :nobody here may write to eve@home.example"]
    for _ in range(30):
        server.says("bob", "#ops", "mailnode: to eve@home.example: hi")
        node.advance(2)
    assert len(server.said) < 20


@pytest.mark.rfc("2812", "3.3.2")
def test_a_notice_is_never_answered() -> None:
    """Nor does it become mail; and CTCP gets nothing."""
    node, server = both()
    before = len(server.lines)
    server.says("bob", "mailnode", "to ann@home.example: hi", command="NOTICE")
    server.says("bob", "mailnode", "\x01VERSION\x01")
    server.says("bob", "mailnode", "\x01DCC CHAT chat 2130706433 25\x01")
    node.advance(11)
    assert not node.mailbox(ANN)
    assert len(server.lines) == before


def test_a_hostile_server_breaks_nothing() -> None:
    """Octets that are no UTF-8, lines that lack everything, commands that are ours inside."""
    node, server = both()
    for line in (b":x", b"", b" ", b":x ", b"KICK", b":x KICK #ops", b":a!b@c PRIVMSG", b"001", b"unknown x", b":a NICK",
                 b":bob!u@h PRIVMSG #ops :mailnode: to ann@home.example: caf\xe9", b"PONG :never asked", b":s 401",
                 b"@time=1 :s 999 x"):  # fmt: skip
        server.send(line)
    node.advance(11)
    (mail,) = node.mailbox(ANN)
    assert text_of(mail) == "caf\ufffd\n"


def test_what_is_said_before_the_end_is_sent() -> None:
    """A gathering that waits becomes mail when the node stops."""
    node, server = both()
    server.says("bob", "#ops", "mailnode: to ann@home.example: hi")
    node.station._sources["irc"].stopService()
    assert len(node.mailbox(ANN)) == 1
    server.says("bob", "#ops", "mailnode: to ann@home.example: hi again")
    node.advance(11)
    assert len(node.mailbox(ANN)) == 1


@pytest.mark.parametrize(
    "settings",
    [{"endpoint": "x"}, {"nick": "a b"}, {"channels": ["ops"]}, {"mail": {"#other": ANN}}, {"may_write_to": ["x"]},
     {"login": "sasl"}, {"login": "sasl", "password_file": "x", "endpoint": "tcp:irc.example.net:6667"},
     {"max_lines": 0}],
)  # fmt: skip
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError, match=r".+"):
        Irc(**{"endpoint": "tls:irc.example.net:6697", "nick": "mailnode", **settings})
