"""The terminal courier: writes a message onto the terminal of a user who is logged in (RFC 821 section 3.4).

Which user that is stands in the settings; where she is logged in, in the system's records (``terminal_logins``); whether
a terminal takes messages, in its permissions (``terminal_line``). Of several terminals the one used last gets the message,
and the next if that one is stopped. What is written is harmless text (``terminal_text``).

"Not active" is 450 4.2.1, as RFC 821 has it. Nothing of this lasts: Delivered means shown. The process needs the right to
write to terminals, which belong to the group ``tty`` on most systems.
"""

import time
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from mailnode.couriers.terminal_line import Line, open_line
from mailnode.couriers.terminal_logins import lines_in_utmp, lines_of_sessions
from mailnode.couriers.terminal_settings import TerminalSettings
from mailnode.couriers.terminal_text import compose
from mailnode.interfaces import Disk
from mailnode.mail.address import Mailbox, parse_mailbox
from mailnode.mail.domain import key
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.outcome import Delayed, Delivered, Outcome
from mailnode.smtp import replies

SEEN = 64 * 1024
"""Octets of a message that are looked at: its header and the start of its text."""

SHOWN = Delivered(replies.ON_TERMINAL)
NOT_ACTIVE = Delayed(replies.NOT_ACTIVE)


@frozen
class _Names:
    """Which login name belongs to an address."""

    users: Mapping[tuple[str, str], str]
    domains: frozenset[str]

    def login(self, mailbox: Mailbox) -> str:
        """Give the login name; empty when the mailbox belongs to no user of this machine."""
        local_part, domain = _key(mailbox)
        return self.users.get((local_part, domain)) or (local_part if domain in self.domains else "")


class TerminalCourier:
    """Shows messages on terminals; implements interfaces.Courier."""

    def __init__(self, *, hostname: str, clock: IReactorTime, disk: Disk, settings: TerminalSettings) -> None:
        self._hostname = hostname
        self._clock = clock
        self._disk = disk
        self._settings = settings
        self._names = _Names(
            users={_key(parse_mailbox(address)): login for address, login in settings.users.items()},
            domains=frozenset(map(key, settings.domains)),
        )

    @property
    def is_open_to_all(self) -> bool:
        """Tell whether everybody may write to terminals."""
        return self._settings.senders == "all"

    async def accepts(self, mailbox: Mailbox) -> bool:
        """Tell whether the user is active: logged in at a terminal that takes messages."""
        login = self._names.login(mailbox)
        return bool(login) and bool(await self._disk.run(lambda: self._lines(login)))

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Show the message to every recipient."""
        return {one: await self._show(request.message, one) for one in request.message.envelope.recipients}

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _show(self, message: Message, recipient: Recipient) -> Outcome:
        login = self._names.login(recipient.forward_path)
        if not login:
            return NOT_ACTIVE
        is_shown = await self._disk.run(lambda: self._write(message, login))
        return SHOWN if is_shown else NOT_ACTIVE

    def _write(self, message: Message, login: str) -> bool:
        """Write to the first terminal that takes it; runs on a thread."""
        content = next(message.content.blocks(SEEN), b"")
        now = time.strftime("%H:%M", time.localtime(self._clock.seconds()))

        def text(is_utf8: bool) -> bytes:
            return compose(
                content, sender=message.envelope.reverse_path, hostname=self._hostname, clock=now, is_utf8=is_utf8,
                limit=self._settings.max_text,
            )  # fmt: skip

        return any(line.write(text) for line in self._lines(login))

    def _lines(self, login: str) -> list[Line]:
        """Find the terminals of a user that take messages, the one used last before the others."""
        settings = self._settings
        names = chain(
            lines_in_utmp(Path(settings.utmp), login) if settings.utmp else (),
            lines_of_sessions(Path(settings.sessions), login) if settings.sessions else (),
        )
        found = [open_line(Path(settings.devices) / name, login) for name in dict.fromkeys(names)]
        return sorted((line for line in found if line is not None), key=lambda line: -line.last_used)


def _key(mailbox: Mailbox) -> tuple[str, str]:
    return mailbox.local_part.lower(), key(mailbox.domain) if mailbox.domain else ""


__all__ = ["TerminalCourier", "TerminalSettings"]
