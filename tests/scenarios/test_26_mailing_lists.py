"""Mailing lists on a real node: swaks, smtplib, curl and mutt around them, and a kill in the middle of five hundred copies."""

import re
import subprocess
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from smtplib import SMTP

import pytest

from mailnode.shipped.mailing_list.fanout import IN_FLIGHT
from tests.kit.home import HOME
from tests.kit.node import Node
from tests.kit.programs import program
from tests.kit.readers import mutt
from tests.kit.sinks import Sink
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

NEWS = "news@lists.example"
ANN, BOB, OWNER = "ann@home.example", "bob@home.example", "owner@home.example"

SETTINGS = (
    HOME
    + """
[[domain]]
name = "lists.example"
courier = "lists"

[[route]]
match = "dead.example"
next_hop = "[127.0.0.1]:SINK"

[gateway.lists]
kind = "list"
domain = "lists.example"
base_url = "https://lists.example"
endpoint = "tcp:WEB:interface=127.0.0.1"
[gateway.lists.source]
relay = true
[gateway.lists.lists.news]
owners = ["owner@home.example"]
members = MEMBERS
bounce_threshold = 1.0
"""
)


def started(make_node: MakeNode, members: list[str], *, sink: int = 9, web: int = 0) -> Node:
    """Start a node with a list."""
    text = SETTINGS.replace("MEMBERS", str(members).replace("'", '"')).replace("SINK", str(sink))
    return make_node(
        text.replace('endpoint = "tcp:WEB:interface=127.0.0.1"\n', "") if not web else text.replace("WEB", str(web))
    )


def swaks(node: Node, sender: str, to: str, *arguments: str) -> None:
    """Send a mail with swaks."""
    command = [program("swaks"), "--server", f"127.0.0.1:{node.port('mx')}", "-f", sender, "-t", to, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout.decode()


def curl(url: str, web: int, *arguments: str) -> str:
    """Ask the one-click endpoint, as the web server in front of it would; gives status and body."""
    local = url.replace("https://lists.example", f"http://127.0.0.1:{web}")
    command = [program("curl"), "-sS", "-w", "\n%{http_code}", "--max-time", "20", *arguments, local]
    return subprocess.run(command, capture_output=True, timeout=30, check=True).stdout.decode()


def test_the_life_of_a_member(make_node: MakeNode, tmp_path: Path) -> None:
    """Subscribe, confirm, post, be copied, one mailbox dies, leave with one click; mutt reads the archive."""
    from tests.kit.ports import free_port

    web = free_port()
    with Sink(tmp_path / "sink", "-f", "RCPT") as sink:
        node = started(make_node, ["zoe@dead.example"], sink=sink.port, web=web)
        for count, person in enumerate((ANN, BOB)):
            swaks(node, person, "news-subscribe@lists.example", "--header", "Subject: please")
            (question,) = node.wait_for(person)
            asked = message_from_bytes(question)
            (confirm,) = re.findall(r"news-confirm[^>]+", str(asked["From"]))
            assert str(asked["Return-Path"]) == "<>"
            assert str(asked["Auto-Submitted"]) == "auto-replied"
            with SMTP("127.0.0.1", node.port("mx")) as client:
                mail = f"From: {person}\r\nTo: {confirm}\r\nSubject: Re: {asked['Subject']}\r\n\r\nyes\r\n"
                client.sendmail(person, [confirm], mail)
            welcome = node.wait_for(person, 2)[1]
            assert b"welcome to news" in welcome, count
        swaks(node, ANN, NEWS, "--header", "Subject: Party", "--body", "At eight.")
        post = node.wait_for(BOB, 3)[2]
        node.wait_for(ANN, 3)
        copy = message_from_bytes(post)
        assert re.fullmatch(r"<news-bounces\+\w+-\w{16}@lists.example>", str(copy["Return-Path"]))
        assert copy["List-Id"] == "<news.lists.example>"
        assert copy["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert copy["Subject"] == "Party"
        stopped = message_from_bytes(node.wait_for(OWNER)[0])
        assert "zoe@dead.example gets no more copies" in str(stopped["Subject"])
        url = re.findall(r"<(https[^>]+)>", str(copy["List-Unsubscribe"]))[0]
        assert "<button" in curl(url, web)
        assert "\n404" in curl(f"{url}x", web, "-d", "List-Unsubscribe=One-Click")
        assert "\n200" in curl(url, web, "-d", "List-Unsubscribe=One-Click")
        assert "\n200" in curl(url, web, "-d", "List-Unsubscribe=One-Click")
        swaks(node, ANN, NEWS, "--header", "Subject: Second", "--body", "Who is left?")
        node.wait_for(ANN, 4)
        until(lambda: not node.command("queue", "list", "--json").strip().strip("[]"), 20, node.log)
        assert len(node.names(BOB)) == 3
        read = mutt(tmp_path, node.data / "gateways" / "lists" / "archive" / "news" / "archive.mbox")
        assert re.findall(rb"Subject: (\w+)", read) == [b"Party", b"Second"]
        assert "Traceback" not in node.log()


def test_a_kill_in_the_middle_loses_nothing(make_node: MakeNode) -> None:
    """Five hundred members: each has the post; only copies in flight at the kill may have come twice, known by their key."""
    people = [f"u{number}@home.example" for number in range(500)]
    node = started(make_node, people)
    swaks(node, OWNER, NEWS, "--header", "Subject: Party", "--header", "Message-ID: <one@home.example>")
    folder = node.data / "mail" / "home.example"
    until(lambda: folder.is_dir() and len(list(folder.iterdir())) > 100, 90, node.log)
    node.kill()
    before = Counter({one: len(node.names(one)) for one in people})
    assert 50 <= before.total() < 500  # folders are there a moment before their messages
    node.start()
    until(lambda: not node.command("queue", "list", "--json").strip().strip("[]"), 90, node.log)
    after = {one: [message_from_bytes(octets) for octets in node.messages(one)] for one in people}
    assert min(map(len, after.values())) == 1
    twice = {one: copies for one, copies in after.items() if len(copies) > 1}
    assert len(twice) <= IN_FLIGHT
    assert max(map(len, after.values())) <= 2
    for copies in twice.values():
        assert len({str(one["Message-ID"]) + str(one["List-Unsubscribe"]) for one in copies}) == 1
    read = (node.data / "gateways" / "lists" / "archive" / "news" / "archive.mbox").read_bytes()
    assert read.count(b"Subject: Party") == 1
