"""aiosmtpd: the library for Python's asyncio, with the handlers it ships."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import DOMAIN, Site
from tests.kit.ports import free_port

_PROGRAM = Path(__file__).with_name("aiosmtpd_run.py")


class Aiosmtpd(Server):
    """aiosmtpd from PyPI with its Mailbox and Proxy handlers."""

    name = "aiosmtpd"
    says = "no queue: relays while the client waits; Mailbox has an fsync of the file, none of the folder"
    does = frozenset({"deliver", "relay", "lmtp"})

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lmtp_port = free_port()

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell what is missing."""
        return "" if _python(software).exists() else "it could not be fetched"

    def write_configuration(self) -> None:
        """Write nothing: all it needs stands on its command line."""

    def command(self) -> Sequence[str]:
        """Run the program that sets up the library."""
        site = {
            "port": self.port, "lmtp_port": self.lmtp_port, "domain": DOMAIN, "maildirs": str(self.maildirs),
            "hops": dict(self.site.next_hops), "hop_port": self.site.next_hop_port,
        }  # fmt: skip
        return [str(_python(self.site.software)), "-P", str(_PROGRAM), json.dumps(site)]


def _python(software: Path) -> Path:
    return software / "aiosmtpd/bin/python"
