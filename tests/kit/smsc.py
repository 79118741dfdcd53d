"""An SMSC in memory for unit tests: it sits behind the clock of a MemoryNode and answers as told.

It speaks through our own codec; whether that is SMPP is for the tests against an SMSC that is not ours.
"""

from collections import deque
from typing import Any

from attrs import Factory, define
from twisted.internet.error import ConnectionLost, ConnectionRefusedError  # noqa: A004 - Twisted's
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mailnode.shipped.sms.pdu import BindTransceiver, Number, TextMessage, render_name
from mailnode.shipped.sms.wire import RESPONSE, Command, Frames, Pdu
from mailnode.testing.api import MemoryNode

US = Number("15770001", 1, 1)
SILENCE = -1
"""In place of a status: no answer."""


class _Transport(StringTransport):
    """Hands on at once what is written."""

    def __init__(self, smsc: "MemorySmsc") -> None:
        super().__init__()
        self.smsc = smsc

    def write(self, data: bytes) -> None:
        """Let the SMSC read."""
        self.smsc.read(data)

    def loseConnection(self) -> None:
        """Close it."""
        self.smsc.hang_up(self)

    def abortConnection(self) -> None:
        """Break it."""
        self.smsc.hang_up(self)


@define(eq=False)
class MemorySmsc:
    """Takes binds and texts; ``will(0x58)`` says what the next submit_sm gets."""

    node: MemoryNode
    is_there: bool = True
    texts: list[TextMessage] = Factory(list)
    """What was submitted, also what was refused."""
    binds: list[BindTransceiver] = Factory(list)
    answers: list[Pdu] = Factory(list)
    """What it was answered."""
    requests: list[int] = Factory(list)
    """The commands it was asked."""
    bind_status: int = 0
    ids: int = 0
    """How many texts it has accepted."""
    name: str = "m{}"
    """How it writes their message_ids."""
    protocol: Any = None
    _script: deque[int] = Factory(deque)
    _frames: Frames = Factory(Frames)
    _transport: Any = None
    _sequence: int = 0

    def __attrs_post_init__(self) -> None:
        """Be where the node looks for it."""
        clock: Any = self.node.clock
        pending = [client[2] for client in clock.tcpClients]
        clock.connectTCP = self._connect
        for factory in pending:
            self._connect("", 0, factory)

    def will(self, *statuses: int) -> "MemorySmsc":
        """Say what the next submit_sm get."""
        self._script.extend(statuses)
        return self

    def _connect(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> None:
        if not self.is_there:
            self.node.clock.callLater(
                0, factory.clientConnectionFailed, None, Failure(ConnectionRefusedError("refused"))
            )
            return
        self._frames, self._transport = Frames(), _Transport(self)
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self._transport)

    def hang_up(self, transport: Any = None) -> None:
        """End the connection."""
        if transport is None or transport is self._transport:
            protocol, self.protocol, self._transport = self.protocol, None, None
            if protocol is not None:
                protocol.connectionLost(Failure(ConnectionLost("gone")))

    def read(self, data: bytes) -> None:
        """Take what the node writes."""
        for pdu in self._frames.receive(data):
            self._take(pdu)

    def _take(self, pdu: Pdu) -> None:
        if pdu.is_response:
            self.answers.append(pdu)
            return
        self.requests.append(pdu.command)
        status, body = 0, b""
        if pdu.command == Command.BIND_TRANSCEIVER:
            self.binds.append(BindTransceiver.parse(pdu.body))
            status, body = self.bind_status, render_name("memory")
        elif pdu.command == Command.SUBMIT_SM:
            self.texts.append(TextMessage.parse(pdu.body))
            status = self._script.popleft() if self._script else 0
            self.ids += not status
            body = b"" if status else render_name(self.name.format(self.ids))
        elif pdu.command == Command.ENQUIRE_LINK and self._script and self._script[0] == SILENCE:
            return
        if status != SILENCE:
            self.say(Pdu(pdu.command | RESPONSE, pdu.sequence, body, status))

    def say(self, pdu: Pdu) -> None:
        """Send a PDU to the node."""
        if self.protocol is not None:
            self.protocol.dataReceived(pdu.render())

    def deliver(self, source: str, text: bytes, **more: Any) -> int:
        """Deliver a message; gives the status that it was answered with."""
        self._sequence += 1
        message = TextMessage(Number(source, 1, 1), US, text, **more)
        self.say(Pdu(Command.DELIVER_SM, self._sequence, message.render()))
        self.node.clock.advance(0)
        return next(one.status for one in reversed(self.answers) if one.sequence == self._sequence)

    def receipt(self, message_id: str, stat: str, **more: Any) -> int:
        """Deliver a receipt as appendix B of SMPP 3.4 writes it."""
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2601010101 done date:2601010102 stat:{stat} err:000 text:x"
        )
        return self.deliver("4917012345", text.encode(), esm_class=4, **more)
