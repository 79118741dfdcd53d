"""Free ports on the loopback network, and whether anybody answers at one."""

import itertools
import os
import socket

_FIRST, _SHARE = 12_000, 2_000
"""Below the range from which systems give ports to clients (Linux: 32768 on), so that nobody is given the port of a node
that is stopped for a moment; each process of a test run has a share of its own."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_begin = _FIRST + _worker * _SHARE
_start = os.getpid() % _SHARE
_ports = itertools.cycle(_begin + (_start + step) % _SHARE for step in range(_SHARE))


def free_port(address: str = "127.0.0.1") -> int:
    """Give a TCP port that nobody uses at the moment; another one each time."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in itertools.islice(_ports, _SHARE):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def greets(port: int, address: str = "127.0.0.1", seconds: float = 5.0) -> bool:
    """Tell whether a mail server says 220 there."""
    try:
        with socket.create_connection((address, port), timeout=seconds) as connection:
            connection.settimeout(seconds)
            greeting = connection.recv(512)
            connection.sendall(b"QUIT\r\n")
            return greeting.startswith(b"220")
    except OSError:
        return False
