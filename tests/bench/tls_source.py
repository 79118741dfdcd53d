"""What smtp-source would be with TLS: sends messages over a new connection each, with STARTTLS and a full handshake.

Run as a program with one JSON object as argument: port, size, sessions, sender, user and password (empty: no AUTH),
and streams, pairs of recipient and number of messages. As many processes as there are sessions take turns through
the messages; like smtp-source they send one command at a time. When all are there the program says "ready" on its
standard output, and they begin once it is given a line: what Python takes to start is no server's fault.
"""

import base64
import contextlib
import json
import os
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from typing import Any

_SECONDS = 60.0
"""To wait for an answer."""
_LINE = 80


def body(size: int) -> bytes:
    """Give so many octets of text, as smtp-source does: lines of X."""
    line = b"X" * (_LINE - 2) + b"\r\n"
    return (line * (size // _LINE + 1))[: max(size - 2, 0)].rstrip(b"\r\n") + b"\r\n"


def content(sender: str, to: str, size: int, number: int) -> bytes:
    """Give a whole message, its end included; only the header section tells one from another."""
    fields = {
        "From": f"<{sender}>", "To": f"<{to}>", "Date": "Mon, 1 Jan 2024 00:00:00 +0000",
        "Message-Id": f"<{number:04x}.{os.getpid()}@client.test>", "Subject": "from tls_source",
    }  # fmt: skip
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in fields.items()) + b"\r\n" + body(size) + b".\r\n"


def plain(user: str, password: str) -> str:
    """Give the initial response of AUTH PLAIN (RFC 4616 section 2)."""
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class _Connection:
    """One connection; a reply that is not the expected one ends the program."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def expect(self, code: bytes) -> None:
        reply = b""
        while not reply.endswith(b"\n") or reply.splitlines()[-1][3:4] == b"-":
            octets = self._socket.recv(4096)
            if not octets:
                raise ConnectionError(f"closed after {reply!r}")
            reply += octets
        if not reply.startswith(code):
            raise ConnectionError(f"{reply!r} instead of {code!r}")

    def say(self, octets: bytes, code: bytes) -> None:
        self._socket.sendall(octets)
        self.expect(code)

    def start_tls(self, context: ssl.SSLContext) -> None:
        self._socket = context.wrap_socket(self._socket, server_hostname="bench.test")

    def close(self) -> None:
        self._socket.close()


def _send(order: Mapping[str, Any], context: ssl.SSLContext, to: str, number: int) -> None:
    """Send one message over a connection of its own."""
    connection = _Connection(order["port"])
    connection.expect(b"220")
    connection.say(b"EHLO client.test\r\n", b"250")
    connection.say(b"STARTTLS\r\n", b"220")
    connection.start_tls(context)
    connection.say(b"EHLO client.test\r\n", b"250")
    if order["user"]:
        connection.say(f"AUTH PLAIN {plain(order['user'], order['password'])}\r\n".encode(), b"235")
    connection.say(f"MAIL FROM:<{order['sender']}>\r\n".encode(), b"250")
    connection.say(f"RCPT TO:<{to}>\r\n".encode(), b"250")
    connection.say(b"DATA\r\n", b"354")
    connection.say(content(order["sender"], to, order["size"], number), b"250")
    connection.say(b"QUIT\r\n", b"221")
    connection.close()


def _context() -> ssl.SSLContext:
    """Give how all speak TLS, with what OpenSSL loads at the first handshake loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the bench's certificates are self-signed; nobody checks them
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).do_handshake()
    return context


def _session(
    order: Mapping[str, Any], mine: Sequence[tuple[int, str]], context: ssl.SSLContext, gate: int, bell: int
) -> int:
    """Ring the bell, wait until the gate is closed, send this process's messages, and give its exit status."""
    os.write(bell, b"!")
    os.read(gate, 1)
    number = -1
    try:
        for number, to in mine:
            _send(order, context, to, number)
    except OSError as trouble:
        print(f"message {number}: {trouble}", file=sys.stderr, flush=True)
        return 1
    return 0


def main(order: Mapping[str, Any]) -> int:
    """Send all of it; the exit status is 0 when every message was taken."""
    recipients = [to for to, messages in order["streams"] for _ in range(messages)]
    numbered = list(enumerate(recipients))
    sessions = min(order["sessions"], len(numbered))
    context = _context()
    (gate, open_gate), (heard, bell) = os.pipe(), os.pipe()
    children = []
    for first in range(sessions):
        child = os.fork()
        if child == 0:
            os.close(open_gate)  # or the gate would never be seen to close
            os._exit(_session(order, numbered[first::sessions], context, gate, bell))
        children.append(child)
    for _ in children:
        os.read(heard, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    os.close(open_gate)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
