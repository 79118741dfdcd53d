"""DNS for tests: a resolver that answers from tables, and a real authoritative server on a loopback address."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.exception
import dns.message
import dns.query
import dns.rcode
from attrs import field, frozen

from mailnode.interfaces import Answer, NoSuchDomain, TryLater
from tests.kit.programs import find
from tests.kit.waiting import until


@frozen
class FakeResolver:
    """Implements interfaces.Resolver from tables; a name in none of them does not exist."""

    mx: Mapping[str, tuple[tuple[int, str], ...]] = field(factory=dict)
    hosts: Mapping[str, tuple[str, ...]] = field(factory=dict)
    txt: Mapping[str, tuple[str, ...]] = field(factory=dict)
    later: Collection[str] = ()
    """Names that nobody answers for."""
    raises: Mapping[str, Exception] = field(factory=dict)
    """Names and what asking for them raises."""

    async def exchanges(self, domain: str) -> Answer:
        """Give the MX records."""
        self._check(domain)
        return Answer(self.mx.get(domain, ()), 60.0)

    async def addresses(self, host: str) -> Answer:
        """Give the addresses."""
        self._check(host)
        return Answer(tuple((0, address) for address in self.hosts.get(host, ())), 60.0)

    async def texts(self, name: str) -> Answer:
        """Give the TXT records."""
        self._check(name)
        return Answer(tuple((0, text) for text in self.txt.get(name, ())), 60.0)

    def _check(self, name: str) -> None:
        if name in self.raises:
            raise self.raises[name]
        if name in self.later:
            raise TryLater(name)
        if name not in {*self.mx, *self.hosts, *self.txt}:
            raise NoSuchDomain(name)


def free_dns_port(address: str = "127.0.0.1") -> int:
    """Give a port that is free for both UDP and TCP at the moment."""
    for _ in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.bind((address, 0))
            port: int = stream.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
                try:
                    datagram.bind((address, port))
                except OSError:
                    continue
                return port
    raise AssertionError("no port is free for both UDP and TCP")


class NsdServer:
    r"""A real authoritative DNS server (nsd) for some zones; use it with ``with``, or ``start`` and ``stop``.

    ``server.serve({"example.org": "@ MX 10 a\na A 127.0.0.2"})`` writes the zones and starts or restarts it. Zone texts are
    master file lines (RFC 1035 section 5.1) without SOA and NS, which are added; names without a final dot are
    relative to the zone. ``server.name`` is what ``[resolver] servers`` wants.
    """

    SOA = "@ 60 IN SOA ns hostmaster 1 3600 600 86400 {negative_ttl}\n@ 60 IN NS ns\nns 60 IN A 127.0.0.1\n"

    def __init__(self, address: str = "127.0.0.1", *, negative_ttl: int = 7) -> None:
        self.address = address
        self.port = free_dns_port(address)
        self._negative_ttl = negative_ttl
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="nsd-"))

    @staticmethod
    def is_installed() -> bool:
        """Tell whether nsd can be used here."""
        return find("nsd") is not None

    @property
    def name(self) -> str:
        """Give the server as a setting: ``127.0.0.1:5300``."""
        return f"{self.address}:{self.port}"

    def __enter__(self) -> Self:
        """Do nothing yet: ``serve`` starts it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and forget its files."""
        self.close()

    def serve(self, zones: Mapping[str, str]) -> "NsdServer":
        """Serve exactly these zones, and return when they are answered for."""
        self.stop()
        for zone, lines in zones.items():
            head = f"$ORIGIN {zone}.\n$TTL 60\n{self.SOA.format(negative_ttl=self._negative_ttl)}"
            (self._folder / f"{zone}.zone").write_text(f"{head}{lines}\n")
        (self._folder / "nsd.conf").write_text(self._configuration(zones))
        self.start()
        for zone in zones:
            until(partial(self._answers, zone), 10.0, lambda: f"nsd is silent:\n{self.log()}")
        return self

    def start(self) -> None:
        """Start it on the zones of the last ``serve``."""
        program = find("nsd")
        assert program, "nsd is not installed"
        setpriv = find("setpriv")
        tied = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
        with (self._folder / "nsd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*tied, program, "-d", "-c", str(self._folder / "nsd.conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder,
            )  # fmt: skip

    def stop(self) -> None:
        """End it, if it runs; its port then answers nobody. ``start`` brings the same zones back."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stop it for good and remove its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        """Give what it wrote."""
        return (self._folder / "nsd.log").read_text(errors="replace")

    def _configuration(self, zones: Mapping[str, str]) -> str:
        folder = self._folder
        # One process, no cookies, no rate limit: answers must not depend on how many tests ask.
        text = f"""
server:
  ip-address: {self.address}@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
  server-count: 1
  rrl-ratelimit: 0
  hide-version: yes
remote-control:
  control-enable: no
"""
        return text + "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{zone}.zone"\n' for zone in zones)

    def _answers(self, zone: str) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"nsd ended:\n{self.log()}"
        question = dns.message.make_query(zone, "SOA")
        try:
            reply = dns.query.udp(question, self.address, timeout=0.5, port=self.port)
        except (OSError, dns.exception.DNSException):
            return False
        return reply.rcode() == dns.rcode.NOERROR and bool(reply.answer)
