"""The couriers against servers we did not write, over real sockets: Postfix's smtp-sink, and scripted peers."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from mailnode.couriers.lmtp import LmtpCourier
from mailnode.couriers.smtp import SmtpCourier
from mailnode.couriers.smtp_settings import SmtpCourierSettings, SmtpTimes
from mailnode.interfaces import Answer, Resolver
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Outcome
from mailnode.mail.quantity import Seconds
from tests.kit.carrying import filed, request, told
from tests.kit.peers import Peer, Trouble
from tests.kit.ports import free_port, greets
from tests.kit.programs import program
from tests.kit.waiting import until


class _Threads:
    """A Disk on the reactor's own threads."""

    async def run(self, work: Any) -> Any:
        return await deferToThread(work)


class _Loopback:
    """A resolver that finds every host at the loopback addresses."""

    async def exchanges(self, domain: str) -> Answer:
        return Answer(((10, "first.example"), (20, "second.example")), 60)

    async def addresses(self, host: str) -> Answer:
        values = {"first.example": (("::1"), ("127.0.0.1")), "second.example": ("127.0.0.2",)}
        return Answer(tuple((0, address) for address in values[host]), 60)

    async def texts(self, name: str) -> Answer:
        return Answer((), 60)


@pytest.mark.scenario
class CourierOverSockets(TestCase):
    """The couriers on a real reactor."""

    timeout = 60

    def setUp(self) -> None:
        """Begin with no servers."""
        self.courier = self._courier(SmtpCourier)

    def tearDown(self) -> "Deferred[None]":  # type: ignore[override]
        """Close all sessions, so that the reactor is left clean."""
        return Deferred.fromCoroutine(self.courier.close())

    def _courier(self, kind: type[SmtpCourier], settings: SmtpCourierSettings = SmtpCourierSettings()) -> SmtpCourier:  # noqa: B008 - frozen
        from twisted.internet import reactor

        resolver: Resolver = _Loopback()
        return kind(
            reactor=reactor, resolver=resolver, hostname="me.example", disk=_Threads(), random=Random(1),
            settings=settings,
        )  # fmt: skip

    def _peer(self, *arguments: Any, **keywords: Any) -> Peer:
        peer = Peer(*arguments, **keywords)
        self.addCleanup(peer.close)
        return peer

    def _path(self) -> Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Path(folder.name) / "content"

    def _sink(self, *options: str) -> int:
        port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        sink = subprocess.Popen(
            [program("smtp-sink"), *user, *options, f"127.0.0.1:{port}", "100"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(sink.wait)
        self.addCleanup(sink.kill)
        until(lambda: greets(port), 10, "smtp-sink does not listen")
        return port

    async def _carry(self, made: DeliveryRequest) -> dict[Recipient, Outcome]:
        return dict(await self.courier.carry(made))

    async def _to_sink(self, *options: str, to: int = 3) -> list[str]:
        port = self._sink(*options)
        return told(await self._carry(request(to=to, next_hop=f"[127.0.0.1]:{port}")))

    async def test_smtp_sink_takes_it_in_every_mood(self) -> None:
        """With pipelining and without, with EHLO and without, every recipient is relayed."""
        for options in ([], ["-p"], ["-e"], ["-p", "-e"], ["-8"]):
            self.assertEqual(await self._to_sink(*options), ["Relayed 250"] * 3, options)

    async def test_smtp_sink_refuses_each_command(self) -> None:
        """A hard error of each command fails, a soft one delays."""
        for command in ("mail", "rcpt", "data", "."):
            self.assertEqual(await self._to_sink("-f", command), ["Failed 500"] * 3, command)
            self.assertEqual(await self._to_sink("-r", command), ["Delayed 450"] * 3, command)

    async def test_smtp_sink_hangs_up_at_each_command(self) -> None:
        """A lost connection delays, whenever it comes."""
        for command in ("ehlo", "mail", "rcpt", "data", "."):
            outcomes = await self._to_sink("-q", command)
            self.assertEqual({each.split()[0] for each in outcomes}, {"Delayed"}, command)

    async def test_lmtp_to_smtp_sink(self) -> None:
        """LMTP has a reply for each recipient."""
        self.courier = self._courier(LmtpCourier)
        port = self._sink("-L")
        outcomes = await self._carry(request(to=3, next_hop=f"127.0.0.1:{port}"))
        self.assertEqual(told(outcomes), ["Delivered 250"] * 3)

    async def test_a_large_file_arrives_whole(self) -> None:
        """Megabytes in dotted lines arrive octet for octet."""
        octets = b"Subject: x\r\n\r\n" + b".\r\n..line\r\n" * 500_000
        peer = self._peer()
        path = self._path()
        outcomes = await self._carry(request(filed(path, octets), next_hop=f"[127.0.0.1]:{peer.port}"))
        self.assertEqual(told(outcomes), ["Relayed 250"])
        self.assertEqual(hashlib.sha256(peer.arrived[0].content).digest(), hashlib.sha256(octets).digest())

    async def test_many_at_once_over_kept_sessions(self) -> None:
        """Messages in parallel use as many sessions as there are at once, and keep them."""
        peer = self._peer()

        async def several(number: int) -> None:
            for _ in range(10):
                made = request(b"Subject: %d\r\n\r\nx\r\n" % number, next_hop=f"[127.0.0.1]:{peer.port}")
                self.assertEqual(told(await self._carry(made)), ["Relayed 250"])

        await gatherResults([Deferred.fromCoroutine(several(number)) for number in range(10)])
        self.assertEqual(len(peer.arrived), 100)
        self.assertLessEqual(peer.sessions, 10)

    async def test_ipv4_is_found_behind_a_refusing_ipv6(self) -> None:
        """A host whose IPv6 address refuses is reached by IPv4; the second host is not needed."""
        peer = self._peer()
        self.assertEqual(told(await self._carry(request(next_hop=f"example.org:{peer.port}"))), ["Relayed 250"])

    async def test_the_second_exchange_is_tried(self) -> None:
        """When the first host has no time, the second one takes the message."""
        first = self._peer({"MAIL": "451 4.3.2 later"})
        second = self._peer(address="127.0.0.2", port=first.port)
        outcomes = await self._carry(request(next_hop=f"example.org:{first.port}"))
        self.assertEqual([outcome.remote for outcome in outcomes.values()], ["second.example"])
        self.assertEqual([each.recipients for each in second.arrived], [("<r0@example.org>",)])

    async def test_a_hanging_peer_is_left(self) -> None:
        """A peer that stops talking costs its time limit and no more, in every command."""
        times = SmtpTimes(**{name: Seconds(0.2) for name in ("greeting", "hello", "mail", "rcpt", "data", "dot")})
        await self.courier.close()
        self.courier = self._courier(SmtpCourier, SmtpCourierSettings(times=evolve(times, block=Seconds(1))))
        for stage in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."):
            peer = self._peer({stage: Trouble.HANG})
            outcomes = await self._carry(request(next_hop=f"[127.0.0.1]:{peer.port}"))
            self.assertEqual(told(outcomes), ["Delayed 451"], stage)

    async def test_cancelling_in_the_middle_of_a_file(self) -> None:
        """A cancelled try hangs up, and the peer never sees an end of data."""
        octets = b"Subject: x\r\n\r\n" + b"x" * 70 * (1 << 20)
        peer = self._peer({"DATA": Trouble.HANG})
        path = self._path()
        made = request(filed(path, octets), next_hop=f"[127.0.0.1]:{peer.port}")
        carrying = Deferred.fromCoroutine(self._carry(made))
        await deferToThread(peer.wait_for_command, "DATA")
        carrying.cancel()
        with pytest.raises(CancelledError):
            await carrying
        self.assertEqual(peer.arrived, [])

    async def test_nobody_there(self) -> None:
        """A port where nobody listens is an unreachable host, at once."""
        (outcome,) = (await self._carry(request(next_hop=f"[127.0.0.1]:{free_port()}"))).values()
        self.assertTrue(getattr(outcome, "host_unreachable", False))
