"""Free ports on the loopback network, and whether anybody answers at one."""

import socket


def free_port(address: str = "127.0.0.1") -> int:
    """Give a TCP port that nobody uses at the moment; the kernel takes another one each time."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


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
