"""aiosmtpd: the library for Python's asyncio, with the handlers it ships."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import DOMAIN, PASSWORD, USER, Site
from tests.bench.software import said_by, version_in
from tests.kit.ports import free_port

_PROGRAM = Path(__file__).with_name("aiosmtpd_run.py")


class Aiosmtpd(Server):
    """aiosmtpd from PyPI with its Mailbox and Proxy handlers."""

    name = "aiosmtpd"
    says = "no queue: relays while the client waits; Mailbox has an fsync of the file, none of the folder; the password is kept in clear text"
    does = frozenset({"deliver", "relay", "lmtp", "tls", "auth"})

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lmtp_port = free_port()

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell what is missing."""
        return "" if _python(software).exists() else "it could not be fetched"

    @classmethod
    def version(cls, software: Path) -> str:
        """Ask its package."""
        return version_in(said_by(_python(software), "-c", "import aiosmtpd; print(aiosmtpd.__version__)"))

    def write_configuration(self) -> None:
        """Write nothing: all it needs stands on its command line."""

    def command(self) -> Sequence[str]:
        """Run the program that sets up the library."""
        certificate = self.site.certificate
        site = {
            "port": self.port, "lmtp_port": self.lmtp_port, "domain": DOMAIN, "maildirs": str(self.maildirs),
            "hops": dict(self.site.next_hops), "hop_port": self.site.next_hop_port,
            "submission_port": self.submission_port, "user": USER, "password": PASSWORD,
            "certificate": [str(certificate.chain), str(certificate.key)] if certificate else None,
        }  # fmt: skip
        return [str(_python(self.site.software)), "-P", str(_PROGRAM), json.dumps(site)]


def _python(software: Path) -> Path:
    return software / "aiosmtpd/bin/python"
