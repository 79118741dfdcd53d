"""The door for programs on this machine: the submit socket and the maildrop, both in ``public/`` of the data folder.

The main process alone keeps it, so both belong to the user that the node runs as. The socket is a listener of the service
submission like any other; who comes there is a user of this machine, as the kernel tells, and needs no password.
"""

from pathlib import Path
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    TimeoutError,  # noqa: A004 - what addTimeout raises
    gatherResults,
)
from twisted.internet.endpoints import quoteStringArgument
from twisted.logger import Logger

from mailnode.originator.place import Place
from mailnode.originator.settings import OriginatorSettings
from mailnode.originator.within import Within
from mailnode.service import meeting
from mailnode.service.control import LONGEST_PATH
from mailnode.service.doors import Door
from mailnode.service.patience import Patience, PatientReception
from mailnode.service.pickup import Pickup
from mailnode.service.settings import ListenerSettings
from mailnode.service.station import Station
from mailnode.service.trouble import StartFailed
from mailnode.service.works import origin_of
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.receiver import Receiver
from mailnode.smtp import replies

NAME = "local"
"""The listener's name in logs."""


class LocalReceivers(ReceiverFactory):
    """Receives users of this machine: only so many sessions of one at a time."""

    most = OriginatorSettings().max_sessions
    _users_of: WeakKeyDictionary[Receiver, str]

    def startFactory(self) -> None:
        """Begin."""
        self._users_of = WeakKeyDictionary()
        super().startFactory()

    def receive(self, address: str, port: int, *, local_address: str = "", user: str = "") -> Receiver:
        """Make the receiver of one more client."""
        receiver = super().receive(address, port, local_address=local_address, user=user)
        if sum(self._users_of.get(one) == user for one in self.sessions) >= self.most:
            receiver.turned_away = replies.TOO_MANY_CONNECTIONS
        self._users_of[receiver] = user
        return receiver


class LocalDoor:
    """Lets programs of this machine hand mail over."""

    log = Logger()

    def __init__(self, station: Station, reactor: Any, random: Random) -> None:
        works = station.works
        settings = station.settings.originator
        self.place = Place(works.ground.folder)
        self._station = station
        self._reactor = reactor
        self._everyone = settings.local_users == "all"
        self._most = settings.max_sessions
        self._patience = Patience(settings.max_messages)
        self._reception = PatientReception(works.reception, self._patience, reactor)
        self._door: Door | None = None
        within = Within(works.reception, works.disk, reactor, random, self._origin)
        self._pickup = Pickup(
            self.place, within, works.queue, users=station.users, patience=self._patience, limits=self._limits
        )

    def _origin(self) -> str:
        return origin_of(self._station.settings, self._station.works)

    def _limits(self) -> tuple[float, float]:
        settings = self._station.settings
        return settings.originator.pickup_interval, settings.queue.bounce_give_up

    async def open(self) -> None:
        """Make the meeting place and let programs in; where that cannot be, the log says why and the node goes on."""
        origin = self._origin()
        try:
            await self._station.works.disk.run(
                lambda: meeting.open_to(self.place, everyone=self._everyone, origin=origin)
            )
            self._listen(self.place.socket)
        except (OSError, StartFailed) as error:
            self.log.error(
                "Programs on this machine cannot hand mail over: {reason}", event="trouble", reason=str(error)
            )
            return
        self.apply()
        self._pickup.start()

    def _listen(self, socket: Path) -> None:
        if len(bytes(socket)) > LONGEST_PATH:
            self.log.warn("No submit socket: {path} is longer than the system takes", path=str(socket))  # noqa: G010 - Twisted's name
            return
        # Whoever holds the folder's lock knows that a socket which lies there is a dead one.
        socket.unlink(missing_ok=True)
        mode = "666" if self._everyone else "600"
        where = f"unix:{quoteStringArgument(str(socket))}:mode={mode}:lockfile=0"
        door = Door(ListenerSettings(NAME, "submission", where))
        door.bind(self._reactor)
        self._door = door

    def apply(self) -> None:
        """Receive new sessions with the settings of now."""
        if self._door is not None:
            receivers = self._station.receivers(self._door.settings, reception=self._reception, kind=LocalReceivers)
            assert isinstance(receivers, LocalReceivers)  # noqa: S101 - it was asked for
            receivers.most = self._most
            self._door.open(receivers, self._station.users)

    async def stop(self, patience: float) -> None:
        """Take no more; sessions past their final dot have so many seconds."""
        await self._pickup.stop()
        if self._door is None:
            return
        await self._door.unbind()
        leaving = [Deferred.fromCoroutine(receivers.stop()) for receivers in self._door.receivers]
        for one in leaving:
            one.addTimeout(patience, self._reactor)
            one.addErrback(lambda failure: failure.trap(CancelledError, TimeoutError))
        await gatherResults(leaving)
