"""``sendmail -bs``: an SMTP session on standard input and output.

Where a node runs it is the node's own session, and this program only passes the octets on. Where none does, the same dialogue
is held here and leads into the maildrop.
"""

import os
import select
import socket
import time
from pathlib import Path

from mailnode.originator.place import Place
from mailnode.originator.submitting import Away, connected

BLOCK = 1 << 16
IN, OUT = 0, 1


def speak(place: Place, user: str) -> int:
    """Hold the session; give the exit code."""
    try:
        connection = connected(place.socket)
    except Away:
        return _speak_alone(place.maildrop, place.origin() or "localhost", user)
    with connection:
        _splice(connection)
    return 0


def _splice(connection: socket.socket) -> None:
    """Pass octets on in both directions until the node has said its last word."""
    connection.settimeout(None)
    sources: list[int | socket.socket] = [IN, connection]
    while connection in sources:
        for ready in select.select(sources, [], [])[0]:
            if ready is connection:
                said = connection.recv(BLOCK)
                if not said:
                    return
                _write(said)
                continue
            asked = os.read(IN, BLOCK)
            if asked:
                connection.sendall(asked)
            else:
                sources.remove(IN)
                connection.shutdown(socket.SHUT_WR)


def _write(octets: bytes) -> None:
    while octets:
        octets = octets[os.write(OUT, octets) :]


class _Going:
    """Nobody stops this program but its caller; implements dialogue.Stopping."""

    is_stopping = False


def _speak_alone(maildrop: Path, hostname: str, user: str) -> int:
    """Hold the dialogue here; nothing in it ever has to be waited for."""
    from mailnode.mail.message import Peer  # noqa: PLC0415 - only who needs a server of its own loads one
    from mailnode.mail.reply import Reply  # noqa: PLC0415
    from mailnode.originator.dropping import DroppingReception  # noqa: PLC0415
    from mailnode.sessions.dialogue import Dialogue, House  # noqa: PLC0415
    from mailnode.sessions.settings import SessionSettings  # noqa: PLC0415
    from mailnode.sessions.starting import start  # noqa: PLC0415
    from mailnode.smtp.events import NEED_DATA  # noqa: PLC0415
    from mailnode.smtp.extensions import BINARY_MIME, standard_extensions  # noqa: PLC0415
    from mailnode.smtp.server import ServerConnection, ServerSettings  # noqa: PLC0415

    settings = ServerSettings(hostname=hostname)
    # Drafts are lines, and stay so.
    offered = [one for one in standard_extensions(settings) if one is not BINARY_MIME]
    machine = ServerConnection(settings, offered)
    reception = DroppingReception(maildrop, lambda: time.time_ns() / 1e9)
    peer = Peer("", listener="stdin", service="submission", user=user)
    dialogue = Dialogue(House(hostname, reception, SessionSettings()), machine, peer, _Going())
    _write(dialogue.greet(Reply(220, (f"{hostname} ESMTP mailnode",))))
    while not dialogue.ends:
        event = machine.next_event()
        if event is NEED_DATA:
            asked = os.read(IN, BLOCK)
            if not asked:
                break
            machine.receive_data(asked)
            continue
        answer = dialogue.answer(event)
        said = answer if isinstance(answer, bytes) else start(answer)
        assert isinstance(said, bytes)  # noqa: S101 - see above
        _write(said)
    dialogue.abort()
    return 0
