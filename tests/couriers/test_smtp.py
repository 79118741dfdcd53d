"""The SMTP courier takes a message as far as one try can, and tells for each recipient what came of it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred

from mailnode.couriers import smtp_conversions
from mailnode.couriers.smtp import SmtpCourier
from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.mail.address import Mailbox
from mailnode.mail.envelope import Body, Notify, Recipient
from mailnode.mail.outcome import Delayed, Failed, Outcome, Relayed
from mailnode.mail.reply import Reply, Status
from mailnode.routing.exchanges import Hop, NoHops
from mailnode.smtp.sending import stuffed
from tests.kit.carrying import CONTENT, filed, recipients, request, told
from tests.kit.nexthops import EHLO, Network, Server
from tests.kit.peers import Answer, Trouble
from tests.kit.results import InlineDisk


class _World:
    """A courier and the hosts it may find for any next hop, best first."""

    def __init__(
        self,
        *servers: Server | None,
        settings: SmtpCourierSettings = SmtpCourierSettings(),  # noqa: B008 - frozen
        scratch: Path | None = None,
    ) -> None:
        self.servers = servers
        found = {f"192.0.2.{n}:25": server for n, server in enumerate(servers, 1) if server is not None}
        self.network = Network(found)
        self.lookups = 0
        self.courier = SmtpCourier(
            reactor=self.network, resolver=None, hostname="me.example", disk=InlineDisk(), random=Random(1),  # type: ignore[arg-type]
            settings=settings, exchanges=self._hosts_for, scratch=scratch,
        )  # fmt: skip

    async def _hosts_for(self, _next_hop: str, _resolver: object, **_: Any) -> Sequence[Hop]:
        self.lookups += 1
        return [Hop(f"mx{n}.example", 25, (f"192.0.2.{n}",)) for n in range(1, len(self.servers) + 1)]

    def carry(self, seconds: float = 0.0, **arguments: Any) -> dict[Recipient, Outcome]:
        return dict(self.network.run(self.courier.carry(request(**arguments)), seconds))


def _counting(answers: Sequence[str | Trouble]) -> Callable[[str], str | Trouble]:
    """Answer with one after the other, the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


# --- the good way ---------------------------------------------------------------------------------------------------


def test_a_message_is_relayed_to_all_in_one_transaction() -> None:
    """Every recipient hears the reply to the final dot and whose it is."""
    server = Server()
    outcomes = _World(server).carry(to=2)
    assert list(outcomes.values()) == [
        Relayed(Reply(250, ("taken",), Status(2, 0, 0)), "mx1.example", passes_dsn=True)
    ] * 2  # fmt: skip
    assert server.messages == [stuffed(CONTENT)]
    assert server.commands[:5] == [
        "EHLO me.example", f"MAIL FROM:<ann@example.net> SIZE={len(CONTENT)}",
        "RCPT TO:<r0@example.org>", "RCPT TO:<r1@example.org>", "DATA",
    ]  # fmt: skip


def test_a_session_is_kept_for_the_next_message() -> None:
    """The second message goes over the same session, without asking where to."""
    server = Server()
    world = _World(server)
    for _ in range(3):
        assert told(world.carry()) == ["Relayed 250"]
    assert (server.sessions, world.lookups, len(server.messages)) == (1, 1, 3)


def test_a_kept_session_ends_when_it_idles() -> None:
    """After the idle time we say QUIT, and the next message opens a session of its own."""
    server = Server()
    world = _World(server)
    world.carry()
    world.network.advance(5)
    world.network.pump([0, 0, 0])
    assert server.commands[-1] == "QUIT"
    assert not server.wires[0].is_open
    assert told(world.carry()) == ["Relayed 250"]
    assert server.sessions == 2


def test_a_kept_session_that_died_costs_nothing() -> None:
    """When a kept session turns out to be dead, the message goes over a fresh one in the same try."""
    server = Server()
    world = _World(server)
    world.carry()
    server.wires[0].server = Server({"MAIL": Trouble.DROP})
    assert told(world.carry()) == ["Relayed 250"]
    assert server.sessions == 2


def test_sessions_are_not_shared_between_lanes() -> None:
    """A session is only used for the next hop it was opened for."""
    server = Server()
    world = _World(server)
    world.carry(next_hop="a.example")
    world.carry(next_hop="b.example")
    assert server.sessions == 2


@pytest.mark.rfc("9422", "4")
def test_mail_max_ends_a_session() -> None:
    """A server that names MAILMAX gets a new session after that many messages."""
    server = Server(extensions=f"{EHLO[:-17]}\n250 LIMITS MAILMAX=2")
    world = _World(server)
    for _ in range(4):
        assert told(world.carry()) == ["Relayed 250"]
    assert server.sessions == 2
    assert server.commands.count("QUIT") == 2


def test_too_many_idle_sessions_are_closed() -> None:
    """No more sessions are kept than the setting allows."""
    server = Server()
    world = _World(server, settings=SmtpCourierSettings(max_idle=1))
    world.carry(next_hop="a.example")
    world.carry(next_hop="b.example")
    assert server.commands.count("QUIT") == 1


def test_close_says_quit_and_waits() -> None:
    """Closing ends the idle sessions properly."""
    server = Server()
    world = _World(server)
    world.carry()
    world.network.run(world.courier.close())
    assert server.commands[-1] == "QUIT"
    assert not server.wires[0].is_open


def test_closing_lets_a_message_under_way_finish() -> None:
    """A session at work says QUIT when it has its answer, and only then the courier is closed."""
    server = Server({".": Trouble.HANG})
    world = _World(server)
    carrying = Deferred.fromCoroutine(world.courier.carry(request()))
    world.network.pump([0] * 30)
    closing = Deferred.fromCoroutine(world.courier.close())
    world.network.pump([0] * 30)
    assert not closing.called
    server.wires[0].say(b"250 taken\r\n")
    assert told(world.network.result(carrying)) == ["Relayed 250"]
    world.network.result(closing)
    assert server.commands[-1] == "QUIT"


# --- many recipients ------------------------------------------------------------------------------------------------


def test_more_recipients_than_a_transaction_may_have() -> None:
    """They go in several transactions over one session."""
    server = Server()
    assert told(_World(server, settings=SmtpCourierSettings(max_recipients=2)).carry(to=5)) == ["Relayed 250"] * 5
    assert (server.sessions, len(server.messages)) == (1, 3)


@pytest.mark.rfc("9422", "4")
def test_rcpt_max_and_domain_max_are_kept() -> None:
    """A server that limits recipients or their domains gets no more in one transaction."""
    server = Server(extensions="250-x\n250-PIPELINING\n250 LIMITS RCPTMAX=2 RCPTDOMAINMAX=1")
    to = [*recipients(3), Recipient(Mailbox("r3", "example.com"))]
    assert told(_World(server).carry(to=to)) == ["Relayed 250"] * 4
    said = [line for line in server.commands if line.startswith(("RCPT", "DATA"))]
    assert said == [
        "RCPT TO:<r0@example.org>", "RCPT TO:<r1@example.org>", "DATA",
        "RCPT TO:<r2@example.org>", "DATA", "RCPT TO:<r3@example.com>", "DATA",
    ]  # fmt: skip


@pytest.mark.rfc("5321", "4.5.3.1.10")
@pytest.mark.parametrize("words", ["452 4.5.3 too many", "452 too many", "552 too many"])
def test_too_many_recipients_are_tried_again_at_once(words: str) -> None:
    """Those refused only for their number go in the next transaction of the same session."""
    server = Server({"RCPT": _counting(["250 ok", "250 ok", words, words, "250 ok"])})
    assert told(_World(server).carry(to=4)) == ["Relayed 250"] * 4
    assert (server.sessions, len(server.messages)) == (1, 2)


def test_a_full_mailbox_is_not_too_many() -> None:
    """452 with another status, or for the only one, is the recipient's own trouble."""
    server = Server({"RCPT": _counting(["250 ok", "452 4.2.2 full"])})
    assert told(_World(server).carry(to=2)) == ["Relayed 250", "Delayed 452"]
    assert told(_World(Server({"RCPT": "452 4.5.3 too many"})).carry()) == ["Delayed 452"]


# --- refusals and other hosts ---------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "5.1")
@pytest.mark.parametrize(
    "script",
    [
        {"CONNECT": "421 busy"}, {"CONNECT": "554 not you"}, {"EHLO": "421 busy"}, {"EHLO": "554 not you"},
        {"MAIL": "451 later"}, {"RCPT": "450 greylisted"}, {"DATA": "451 later"},
        {"CONNECT": Trouble.DROP}, {"EHLO": Trouble.DROP}, {"MAIL": Trouble.DROP}, {"RCPT": Trouble.DROP},
        {"DATA": Trouble.DROP}, {"CONNECT": "SSH-2.0-x"}, {"MAIL": "what?"},
    ],
)  # fmt: skip
def test_the_next_host_is_tried(script: Mapping[str, Answer]) -> None:
    """Whatever is only this host's trouble sends the message to the next one in the same try."""
    first, second = Server(script), Server()
    outcomes = _World(first, second).carry()
    assert [outcome.remote for outcome in outcomes.values()] == ["mx2.example"]
    assert told(outcomes) == ["Relayed 250"]
    assert stuffed(CONTENT) not in first.messages


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"MAIL": "550 no"}, "Failed 550"), ({"RCPT": "550 no"}, "Failed 550"), ({"DATA": "554 no"}, "Failed 554"),
        ({".": "554 spam"}, "Failed 554"), ({".": "451 later"}, "Delayed 451"), ({".": Trouble.DROP}, "Delayed 451"),
    ],
)  # fmt: skip
def test_a_verdict_is_not_asked_for_twice(script: Mapping[str, Answer], expected: str) -> None:
    """A 5yz is the verdict, and so is whatever comes after the final dot: no other host is tried."""
    second = Server()
    assert told(_World(Server(script), second).carry()) == [expected]
    assert second.sessions == 0


def test_each_recipient_goes_its_own_way() -> None:
    """Only those with a 4yz go on to the next host."""
    first = Server({"RCPT": _counting(["250 ok", "550 no", "450 later"])})
    second = Server()
    world = _World(first, second)
    assert told(world.carry(to=3)) == ["Relayed 250", "Failed 550", "Relayed 250"]
    assert [line for line in second.commands if line.startswith("RCPT")] == ["RCPT TO:<r2@example.org>"]


def test_what_a_host_said_outlives_the_trouble_of_the_next() -> None:
    """When the last host cannot be reached, the earlier host's words about the recipient are the outcome."""
    outcomes = _World(Server({"RCPT": "450 greylisted"}), None).carry()
    assert list(outcomes.values()) == [Delayed(Reply(450, ("greylisted",)), "mx1.example")]


def test_nobody_reached_is_evidence_against_the_next_hop() -> None:
    """With no session at all the outcome says that the host is unreachable."""
    (outcome,) = _World(None, None).carry().values()
    assert isinstance(outcome, Delayed)
    assert outcome.host_unreachable
    assert outcome.reply == Reply.of(451, "4.4.1", "mx2.example refused the connection")
    assert outcome.remote == ""


def test_the_last_hosts_greeting_counts() -> None:
    """A 5yz greeting fails the message when it is the last host's."""
    (outcome,) = _World(Server({"CONNECT": "554 not you"})).carry().values()
    assert outcome == Failed(Reply(554, ("not you",)), "mx1.example")


def test_hosts_and_sessions_are_limited() -> None:
    """One try speaks with at most ``max_sessions`` hosts and tries to reach at most ``max_hosts``."""
    servers = [Server({"RCPT": "450 later"}) for _ in range(4)]
    _World(*servers).carry()
    assert [server.sessions for server in servers] == [1, 1, 0, 0]
    world = _World(*[None] * 8)
    world.carry()
    assert len(world.network.attempts) == 5


@pytest.mark.parametrize(
    ("reply", "kind", "is_unreachable"),
    [("556 5.1.10", Failed, False), ("550 5.1.2", Failed, False), ("451 4.4.3", Delayed, True)],
)
def test_no_hosts_at_all(reply: str, kind: type[Outcome], is_unreachable: bool) -> None:
    """What the DNS says is the outcome, in words of ours."""
    code, status = reply.split()

    async def no_hosts(*_: object, **__: object) -> Sequence[Hop]:
        raise NoHops(Reply.of(int(code), status, "no"))

    world = _World()
    world.courier._exchanges = no_hosts
    (outcome,) = world.carry().values()
    assert isinstance(outcome, kind)
    assert outcome.remote == ""
    assert getattr(outcome, "host_unreachable", False) is is_unreachable


# --- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("5321", "4.5.3.2")
@pytest.mark.parametrize(
    ("stage", "seconds"), [("CONNECT", 300), ("EHLO", 300), ("MAIL", 300), ("RCPT", 300), ("DATA", 120), (".", 600)]
)
def test_a_hanging_host_is_left_after_its_time(stage: str, seconds: float) -> None:
    """Each command has its time limit; afterwards the outcome is Delayed and the connection gone."""
    server = Server({stage: Trouble.HANG}, extensions="250 x")
    world = _World(server)
    carrying = Deferred.fromCoroutine(world.courier.carry(request()))
    world.network.pump([0] * 30)
    world.network.pump([1] * int(seconds - 6))
    assert not carrying.called
    (outcome,) = world.network.result(carrying, 12).values()
    assert isinstance(outcome, Delayed)
    assert outcome.reply.status == Status(4, 4, 2)
    assert "too long" in str(outcome.reply)
    assert not server.wires[0].is_open


def test_dripping_replies_do_not_stretch_the_time() -> None:
    """A peer that sends a letter now and then, but never a reply, is left on time."""
    server = Server({"MAIL": Trouble.HANG})
    world = _World(server)
    carrying = Deferred.fromCoroutine(world.courier.carry(request()))
    world.network.pump([0] * 30)
    for _ in range(32):
        server.wires[0].say(b"2")
        world.network.pump([10, 0])
    assert carrying.called
    assert not server.wires[0].is_open


def test_a_reply_without_end_is_not_collected() -> None:
    """A flood is cut off, and the message waits."""
    flood = "\n".join(["250-more"] * 1000)
    assert told(_World(Server({"EHLO": flood})).carry()) == ["Delayed 451"]


def test_cancelling_drops_the_connection() -> None:
    """A cancelled try leaves nothing open."""
    server = Server({"MAIL": Trouble.HANG})
    world = _World(server)
    carrying = Deferred.fromCoroutine(world.courier.carry(request()))
    world.network.pump([0] * 30)
    carrying.cancel()
    with pytest.raises(CancelledError):
        world.network.result(carrying)
    world.network.pump([0, 0])
    assert not server.wires[0].is_open
    world.network.run(world.courier.close())


def test_cancelling_keeps_what_was_answered() -> None:
    """Who was taken before a try is cancelled is done; only the others are tried again."""
    server = Server(
        {".": _counting(["250 2.0.0 taken", Trouble.HANG])}, extensions="250-peer.example\n250 LIMITS RCPTMAX=1"
    )
    world = _World(server)
    heard: list[Mapping[Recipient, Outcome]] = []
    carrying = Deferred.fromCoroutine(world.courier.carry(request(to=2)))
    carrying.addCallback(heard.append)
    world.network.pump([0] * 50)
    assert len(server.messages) == 2
    carrying.cancel()
    (outcomes,) = heard
    assert [type(one) for one in outcomes.values()] == [Relayed]


def test_cancelling_while_connecting_stops_that() -> None:
    """A cancelled try stops the connection that is being made."""
    world = _World(None, None)
    world.network.silent.add("192.0.2.1")
    carrying = Deferred.fromCoroutine(world.courier.carry(request()))
    carrying.cancel()
    with pytest.raises(CancelledError):
        world.network.result(carrying)
    assert world.network.attempts == ["192.0.2.1"]


# --- the message ----------------------------------------------------------------------------------------------------


def test_a_file_is_sent_whole_and_stuffed(tmp_path: Path) -> None:
    """Content from a file goes out in blocks, head first."""
    server = Server()
    octets = b"".join(b".line %d\r\n" % number for number in range(60_000))
    head = b"Received: x\r\n"
    assert told(_World(server).carry(content=filed(tmp_path / "c", octets, head))) == ["Relayed 250"]
    assert server.messages == [stuffed(head + octets)]


def test_a_file_that_cannot_be_read_is_never_ended(tmp_path: Path, lost_failures: list[dict[str, Any]]) -> None:
    """When the content ends early the peer must not take what it has for a message."""
    server = Server()
    content = evolve(filed(tmp_path / "c", b"x\r\n"), file_size=100)
    assert told(_World(server).carry(content=content)) == ["Delayed 451"]
    assert server.messages == []
    assert not server.wires[0].is_open
    assert [event["log_failure"].type for event in lost_failures] == [EOFError]
    lost_failures.clear()


@pytest.mark.rfc("1870", "6.2")
def test_too_large_a_message_is_not_sent() -> None:
    """A message over the peer's SIZE fails without MAIL; the session stays usable."""
    server = Server(extensions="250-x\n250 SIZE 10")
    world = _World(server)
    (outcome,) = world.carry().values()
    assert isinstance(outcome, Failed)
    assert outcome.reply.status == Status(5, 3, 4)
    assert told(world.carry(content=b"x\r\n")) == ["Relayed 250"]
    assert server.sessions == 1


@pytest.mark.rfc("6152", "3")
def test_eight_bit_is_announced_or_converted() -> None:
    """A peer with 8BITMIME hears of it, another gets 7 bits."""
    content = "Subject: x\r\n\r\nü\r\n".encode()
    server, plain = Server(), Server(extensions="250 x")
    _World(server).carry(content=content, body=Body.EIGHT_BIT_MIME)
    _World(plain).carry(content=content, body=Body.EIGHT_BIT_MIME)
    assert server.commands[1].endswith("BODY=8BITMIME")
    assert server.messages == [stuffed(content)]
    assert plain.messages[0].endswith(b"quoted-printable\r\n\r\n=C3=BC\r\n.\r\n")


def test_a_large_converted_message_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large to wait in memory is sent from a file, which is gone afterwards, also when the peer hangs up."""
    monkeypatch.setattr(smtp_conversions, "IN_MEMORY", 100)
    content = b"Subject: x\r\n\r\n" + "ü\r\n".encode() * 5000
    plain, rude = Server(extensions="250 x"), Server({".": Trouble.DROP}, extensions="250 x")
    assert told(_World(plain, scratch=tmp_path).carry(content=content)) == ["Relayed 250"]
    assert plain.messages[0].count(b"=C3=BC\r\n") == 5000
    assert told(_World(rude, scratch=tmp_path).carry(content=content))[0].startswith("Delayed")
    assert not list(tmp_path.iterdir())


@pytest.mark.rfc("6531", "3.6")
def test_utf8_addresses_need_a_peer_that_takes_them() -> None:
    """A peer without SMTPUTF8 gets whom it can have; the others fail with 5.6.7."""
    to = [Recipient(Mailbox("r0", "bücher.example")), Recipient(Mailbox("r1ü", "example.org"))]
    server = Server(extensions="250-x\n250 PIPELINING")
    outcomes = _World(server).carry(to=to, smtputf8=True)
    assert isinstance(outcomes[to[0]], Relayed)
    assert outcomes[to[1]].reply.status == Status(5, 6, 7)
    assert "RCPT TO:<r0@xn--bcher-kva.example>" in server.commands
    (outcome,) = _World(Server(extensions="250 x")).carry(sender=Mailbox("ü", "example.org"), smtputf8=True).values()
    assert outcome.reply.status == Status(5, 6, 7)


def test_addresses_that_cannot_be_said_fail_alone() -> None:
    """A control character fails its recipient, in the sender's address the message; nothing of it is said."""
    server = Server()
    to = [*recipients(1), Recipient(Mailbox("r1\r\nDATA", "example.org"))]
    outcomes = _World(server).carry(to=to)
    assert [outcomes[each].reply.code for each in to] == [250, 553]
    assert outcomes[to[1]].reply.status == Status(5, 1, 3)
    (outcome,) = _World(server).carry(sender=Mailbox("a\nb", "example.org")).values()
    assert outcome.reply.status == Status(5, 1, 7)
    (outcome,) = _World(server).carry(to=to[1:]).values()
    assert outcome.reply.status == Status(5, 1, 3)
    assert len(server.messages) == 1


def test_cancelling_while_the_message_is_fitted(tmp_path: Path) -> None:
    """A try that is cancelled while a file is read leaves no session behind."""
    server = Server(extensions="250 x")
    world = _World(server)
    waiting: Deferred[None] = Deferred()

    class _Slow:
        async def run(self, _: object) -> None:
            await waiting

    world.courier._disk = _Slow()  # type: ignore[assignment]
    carrying = Deferred.fromCoroutine(world.courier.carry(request(filed(tmp_path / "c", b"x"))))
    world.network.pump([0] * 30)
    carrying.cancel()
    with pytest.raises(CancelledError):
        world.network.result(carrying)
    world.network.pump([0, 0])
    assert not server.wires[0].is_open


def test_dsn_wishes_go_to_a_peer_that_knows_them() -> None:
    """A peer without DSN gets no NOTIFY, and the outcome says that success is ours to report."""
    to = [Recipient(Mailbox("r0", "example.org"), Notify.SUCCESS)]
    server = Server(extensions="250 x")
    (outcome,) = _World(server).carry(to=to).values()
    assert isinstance(outcome, Relayed)
    assert not outcome.passes_dsn
    assert "RCPT TO:<r0@example.org>" in server.commands
