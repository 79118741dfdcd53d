"""From the start of the process to its first 220."""

import contextlib
import socket
import time

from tests.bench.measure import now
from tests.bench.server import START_SECONDS, Server

_STEP = 0.001


def measure_startup(server: Server) -> float:
    """Start the server (it does not run), time it until it greets, and stop it; seconds."""
    begun = now()
    server.launch()
    try:
        while now() - begun < START_SECONDS:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5.0) as connection:
                connection.settimeout(5.0)
                if connection.recv(512).startswith(b"220"):
                    return now() - begun
            time.sleep(_STEP)
        raise TimeoutError(f"{server.name} does not greet: {server.log()}")
    finally:
        server.stop()
