"""One listener's factory: makes receivers, watches their deadlines, closes them in order when the node stops."""

from collections.abc import Callable, Collection, Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory

from mailnode.interfaces import Reception
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Octets
from mailnode.mail.reply import Reply
from mailnode.sessions.admission import Admission, plain_address
from mailnode.sessions.authentication import Authentication
from mailnode.sessions.dialogue import AnswerVerb, Dialogue, House
from mailnode.sessions.receiver import Receiver
from mailnode.sessions.settings import SessionSettings
from mailnode.sessions.xclient import Xclient
from mailnode.smtp import replies
from mailnode.smtp.extensions import Extension
from mailnode.smtp.server import ServerConnection
from mailnode.smtp.settings import ServerSettings
from mailnode.smtp.xclient import XCLIENT, XCLIENT_UNSAID
from mailnode.wire import Encryption

SWEEP = 1.0
"""Seconds between two looks at the deadlines: the grain of all timeouts."""


class ReceiverFactory(Factory):
    """Receives mail on one listener."""

    noisy = False

    def __init__(
        self,
        *,
        name: str,
        service: str,
        hostname: str,
        reception: Reception,
        admission: Admission,
        is_trusted: Callable[[str], bool],
        clock: IReactorTime,
        settings: SessionSettings,
        max_size: Octets,
        extensions: Sequence[Extension],
        verbs: Mapping[str, AnswerVerb] | None = None,
        extensions_by_time: Callable[[], tuple[Extension, ...]] | None = None,
        users: Collection[str] = (),
        speaks_for_others: Callable[[str], bool] | None = None,
        authentication: Authentication | None = None,
        encryption: Encryption | None = None,
        is_implicit: bool = False,
    ) -> None:
        """Prepare; ``verbs`` answer the commands of extensions, ``users`` are the local users who may come (empty: all).

        ``speaks_for_others`` tells by an address who may use XCLIENT; None when nobody may. With ``encryption``
        STARTTLS is offered, or, with ``is_implicit``, TLS begins with the connection.
        """
        self.name = name
        self.service = service
        self.admission = admission
        self.clock = clock
        self.settings = settings
        self.sessions: set[Receiver] = set()
        self.is_stopping = False
        self.encryption = encryption
        self.is_implicit = is_implicit
        self.greeting = Reply(220, (f"{hostname} {'LMTP' if service == 'lmtp' else 'ESMTP'} mailnode",))
        self._extensions = tuple(extensions)
        answers = dict(verbs or {})
        if speaks_for_others is not None:
            self._extensions += (XCLIENT_UNSAID,)
            self._extensions_for_fronts = (*extensions, XCLIENT)
            answers["XCLIENT"] = Xclient(self.greeting, speaks_for_others, self._extensions)
        self._house = House(
            hostname, reception, settings, answers, authentication, encryption, is_implicit, extensions_by_time
        )
        self._is_trusted = is_trusted
        self._users = frozenset(users)
        self._speaks_for_others = speaks_for_others
        self._server_settings = ServerSettings(
            hostname=hostname,
            max_command_line=settings.max_command_line,
            max_size=max_size,
            max_recipients=settings.max_recipients,
            max_transactions=settings.max_transactions,
            strict_syntax=settings.strict_syntax,
            bare_newlines=settings.bare_newlines,
            max_text_line=settings.max_text_line,
            bare_addresses=service == "submission",
        )
        self._sweep: IDelayedCall | None = None
        self._empty: list[Deferred[None]] = []

    def startFactory(self) -> None:
        """Begin to watch deadlines."""
        self._sweep = self.clock.callLater(SWEEP, self._check_times)

    def stopFactory(self) -> None:
        """Stop watching when the port is closed and nobody is left."""
        if not self.sessions:
            self._stop_sweep()

    def buildProtocol(self, addr: IAddress | None) -> Receiver:
        """Make the receiver of a new connection."""
        return self.receive(plain_address(addr), int(getattr(addr, "port", 0)))

    def receive(self, address: str, port: int, *, local_address: str = "", user: str = "") -> Receiver:
        """Make the receiver of a client that is known: its address is empty for a unix socket, ``user`` its user there.

        ``local_address`` is what it has reached, where the connection itself does not show that.
        """
        peer = Peer(address, port, self.name, self.service, local_address=local_address, user=user)
        is_front = self._speaks_for_others is not None and self._speaks_for_others(address)
        always = self._extensions_for_fronts if is_front else self._extensions
        extensions = always + self._house.offered_now(peer)
        connection = ServerConnection(self._server_settings, extensions, lmtp=self.service == "lmtp")
        dialogue = Dialogue(self._house, connection, peer, self)
        dialogue.is_front = is_front
        dialogue.always = always
        receiver = Receiver(self, connection, dialogue, trusted=self.trusts(address))
        if self._users and user not in self._users:
            receiver.turned_away = replies.USER_NOT_ALLOWED
        return receiver

    def trusts(self, address: str) -> bool:
        """Tell whether sessions from this address are not limited in number."""
        return not address or self._is_trusted(address)

    def _check_times(self) -> None:
        now = self.clock.seconds()
        for session in list(self.sessions):
            if now >= session.wakes_at:
                session.check_time(now)
        self._sweep = self.clock.callLater(SWEEP, self._check_times)

    def _stop_sweep(self) -> None:
        if self._sweep is not None and self._sweep.active():
            self._sweep.cancel()
        self._sweep = None

    async def stop(self) -> None:
        """Tell every session 421, let those past the final dot finish first; return when none is left.

        The port must be closed before. May be cancelled: then the rest is cut off.
        """
        self.is_stopping = True
        for session in list(self.sessions):
            session.close_with(replies.SHUTTING_DOWN)
        if self.sessions:
            empty: Deferred[None] = Deferred()
            self._empty.append(empty)
            try:
                await empty
            finally:
                for session in list(self.sessions):
                    session.cut_off()
        self._stop_sweep()

    def session_ended(self) -> None:
        """Hear that a session is gone; tells ``stop`` when it was the last."""
        if self.is_stopping and not self.sessions:
            waiting, self._empty = self._empty, []
            for deferred in waiting:
                deferred.callback(None)
