"""Where a broker is and how one gets there: its URL, TLS, credentials from a file, and the pause after it was not there."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import define, frozen
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS

from mailnode.gateways.api import GatewayNode

CONNECT_TIME = 30
"""Seconds that a connection may take to come about."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@frozen
class Place:
    """Where a broker listens, read from a URL."""

    host: str
    port: int
    is_tls: bool
    path: str
    """What stands behind the host, unquoted and without its first slash; of a socket its path."""

    @classmethod
    def parse(cls, url: str, ports: Mapping[str, int]) -> "Place":
        """Read a URL whose schemes and ports are these; that of TLS is another one with an ``s`` more. ValueError."""
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path and "unix" in ports:
            return cls("", 0, False, parts.path)
        if parts.scheme not in ports or not parts.hostname:
            raise ValueError(f'expected a URL such as "{next(iter(ports))}://broker.example.org", not "{url}"')
        if "@" in parts.netloc:
            raise ValueError('expected no password in the URL: it belongs into the file that "credentials" names')
        plain = parts.scheme.removesuffix("s")
        is_tls = plain != parts.scheme and plain in ports
        return cls(parts.hostname, parts.port or ports[parts.scheme], is_tls, unquote(parts.path.removeprefix("/")))


@frozen
class Trust:
    """Files of TLS; an empty name is the system's authorities, or none."""

    authorities: str = ""
    certificate: str = ""
    """With its private key in the same file."""


async def credentials(node: GatewayNode, file: str) -> tuple[str, str]:
    """Read ``user:password`` from the first line of a file, anew each time, so that it may be changed; ValueError."""
    text = await node.disk.run(partial(Path(file).read_text, encoding="utf-8"))
    user, colon, password = text.partition("\n")[0].strip().partition(":")
    if not colon:
        raise ValueError(f'expected "user:password" on the first line of {file}')
    return user, password


async def endpoint(node: GatewayNode, place: Place, trust: Trust) -> Any:
    """Make the client endpoint; files are read anew each time."""
    if not place.host:
        return UNIXClientEndpoint(node.reactor, place.path, timeout=CONNECT_TIME)
    plain = HostnameEndpoint(node.reactor, place.host, place.port, timeout=CONNECT_TIME)
    if not place.is_tls:
        return plain
    options = await node.disk.run(partial(_options, place.host, trust))
    return wrapClientTLS(options, plain)


def _options(host: str, trust: Trust) -> Any:
    """Make what verifies the broker; imported late, since OpenSSL is heavy."""
    from twisted.internet.ssl import (  # noqa: PLC0415
        Certificate,
        PrivateCertificate,
        optionsForClientTLS,
        trustRootFromCertificates,
    )

    roots, own = None, None
    if trust.authorities:
        pem = Path(trust.authorities).read_text(encoding="ascii")
        end = "-----END CERTIFICATE-----"
        found = [Certificate.loadPEM(f"{one}{end}\n".encode()) for one in pem.split(end) if "-----BEGIN" in one]
        roots = trustRootFromCertificates(found)
    if trust.certificate:
        own = PrivateCertificate.loadPEM(Path(trust.certificate).read_text(encoding="ascii"))
    return optionsForClientTLS(host, trustRoot=roots, clientCertificate=own)


@define
class Pause:
    """How long to wait after the n-th failure in a row: doubled each time, with a spread so that not all come at once."""

    random: Random
    first: float = FIRST_PAUSE
    longest: float = LONGEST_PAUSE
    misses: int = 0

    def next(self) -> float:
        """Count a failure and give the seconds to wait."""
        wait = min(self.longest, self.first * 2.0 ** min(self.misses, 20))
        self.misses += 1
        return wait * (0.75 + 0.5 * self.random.random())

    def over(self) -> None:
        """All is well again."""
        self.misses = 0
