"""Questions over real sockets on the loopback network, with a clock that only the test moves."""

import socket
from typing import Any

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import DatagramProtocol, Factory
from twisted.internet.task import Clock, deferLater
from twisted.protocols.basic import Int16StringReceiver
from twisted.trial.unittest import TestCase

from mailnode.routing.system import NameServer
from mailnode.routing.transport import MAX_STRAY, SocketWire, Unanswered
from mailnode.routing.wire import Reading, Unusable
from tests.kit.dns import free_dns_port

reactor: Any = real_reactor


class Parrot(DatagramProtocol):
    """Answers each datagram with the datagrams it was given."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.heard: Deferred[bytes] = Deferred()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Answer, and tell the test."""
        assert self.transport is not None
        for answer in self.answers:
            self.transport.write(answer, addr)
        if not self.heard.called:
            self.heard.callback(datagram)


class Stream(Int16StringReceiver):
    """Answers over TCP, or hangs up."""

    answer: bytes | None = None

    def stringReceived(self, string: bytes) -> None:
        """Answer in two pieces of TCP, or hang up."""
        if self.answer is None:
            assert self.transport is not None
            self.transport.loseConnection()
        else:
            self.sendString(self.answer)


def read(octets: bytes) -> Reading | None:
    """Take everything that begins with "yes" for the answer."""
    return Unusable(octets.decode()) if octets.startswith(b"yes") else None


class SocketWireTests(TestCase):
    """UDP and TCP."""

    timeout = 20

    def setUp(self) -> None:
        """Make a wire whose timeouts never pass by themselves."""
        self.clock = Clock()
        self.wire = SocketWire(reactor, self.clock)

    def serve(self, parrot: Parrot, interface: str = "127.0.0.1") -> NameServer:
        """Let the parrot listen."""
        port = reactor.listenUDP(0, parrot, interface=interface)
        self.addCleanup(port.stopListening)
        return NameServer(interface, port.getHost().port)

    def serve_stream(self, answer: bytes | None) -> NameServer:
        """Listen on TCP."""
        factory = Factory.forProtocol(type("Answering", (Stream,), {"answer": answer}))
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return NameServer("127.0.0.1", port.getHost().port)

    async def test_strays_are_passed_over(self) -> None:
        """What is no answer does not end the wait for it."""
        server = self.serve(Parrot(b"no", b"", b"yes"))
        self.assertEqual(await self.wire.datagram(server, b"ask", read, 3), Unusable("yes"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def test_ipv6(self) -> None:
        """Servers may have IPv6 addresses."""
        if not socket.has_ipv6:
            return
        self.assertEqual(await self.wire.datagram(self.serve(Parrot(b"yes"), "::1"), b"ask", read, 3), Unusable("yes"))

    async def test_a_flood_of_strays_ends_the_try(self) -> None:
        """Somebody who guesses does not get endless tries."""
        parrot = Parrot(*[b"no"] * (MAX_STRAY + 1))
        with self.assertRaises(Unanswered):
            await self.wire.datagram(self.serve(parrot), b"ask", read, 3)

    async def test_silence_ends_with_the_time(self) -> None:
        """After the seconds given the try is over."""
        parrot = Parrot()
        asked = Deferred.fromCoroutine(self.wire.datagram(self.serve(parrot), b"ask", read, 3))
        self.assertEqual(await parrot.heard, b"ask")
        self.clock.advance(3)
        with self.assertRaises(Unanswered):
            await asked

    async def test_cancelling_closes_the_socket(self) -> None:
        """Who is cancelled hears CancelledError, and nothing is left in the reactor."""
        parrot = Parrot()
        asked = Deferred.fromCoroutine(self.wire.datagram(self.serve(parrot), b"ask", read, 3))
        await parrot.heard
        asked.cancel()
        with self.assertRaises(CancelledError):
            await asked
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def test_what_read_raises_comes_through(self) -> None:
        """An exception of the reader is the result."""

        def loop(octets: bytes) -> Reading | None:
            raise LookupError(octets)

        with self.assertRaises(LookupError):
            await self.wire.datagram(self.serve(Parrot(b"x")), b"ask", loop, 3)

    async def test_closed_ports_are_noticed_at_once(self) -> None:
        """Nobody waits for the timeout of a server that is not there."""
        nobody = NameServer("127.0.0.1", free_dns_port())
        for way in (self.wire.datagram, self.wire.stream):
            with self.assertRaises(Unanswered):
                await way(nobody, b"ask", read, 3)

    async def test_streams(self) -> None:
        """An answer over TCP is read whole; a connection closed before it is silence."""
        long = b"yes" * 20000
        found = await self.wire.stream(self.serve_stream(long), b"ask", read, 3)
        self.assertEqual(found, Unusable(long.decode()))
        with self.assertRaises(Unanswered):
            await self.wire.stream(self.serve_stream(None), b"ask", read, 3)
        # The server's side of the aborted connections closes in the next turns of the reactor.
        await deferLater(reactor, 0.01, lambda: None)
