"""mailnode itself, as a user would run it: ``twistd -n mailnode``, with one worker or several."""

import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import DOMAIN, PASSWORD, USER, Site
from tests.kit.ports import free_port
from tests.kit.programs import script

_SETTINGS = """
[node]
hostname = "mailnode.{domain}"
data = "{folder}"
workers = {workers}
trusted_networks = ["127.0.0.0/8"]

[[listener]]
name = "mx"
service = "smtp"
endpoint = "tcp:{port}:interface=127.0.0.1:backlog=1000"
tls = "{tls}"
{certificate}
[[listener]]
name = "mailboxes"
service = "lmtp"
endpoint = "tcp:{lmtp}:interface=127.0.0.1:backlog=1000"
tls = "none"

[[domain]]
name = "{domain}"
courier = "maildir"
accounts = "any"
"""

_SUBMISSION = """
[[listener]]
name = "submission"
service = "submission"
endpoint = "tcp:{port}:interface=127.0.0.1:backlog=1000"
tls = "starttls"
{certificate}
[submission]
account_messages = 0
account_recipients = 0
"""

_ROUTE = """
[[route]]
match = "{hop}"
courier = "smtp"
next_hop = "[{to}]:{port}"
"""


class Mailnode(Server):
    """Ours, one process."""

    name = "mailnode"
    needs_root = False
    does = frozenset({"deliver", "relay", "relay-many", "lmtp", "tls", "auth", "queue"})
    workers = 1

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lmtp_port = free_port()

    @classmethod
    def version(cls, software: Path) -> str:
        """Tell our own, and what it runs on."""
        return f"{metadata.version('mailnode')} (Twisted {metadata.version('twisted')})"

    def write_configuration(self) -> None:
        """Write mailnode.toml."""
        mine = self.site.certificate
        certificate = f'certificate = "{mine.chain}"\nprivate_key = "{mine.key}"\n' if mine else ""
        text = _SETTINGS.format(
            domain=DOMAIN, folder=self.folder, workers=self.workers, port=self.port, lmtp=self.lmtp_port,
            tls="starttls" if mine else "none", certificate=certificate,
        )  # fmt: skip
        if mine:
            text += _SUBMISSION.format(port=self.submission_port, certificate=certificate)
        port = self.site.next_hop_port
        routes = (_ROUTE.format(hop=hop, to=to, port=port) for hop, to in self.site.next_hops.items())
        self._configuration.write_text(text + "".join(routes))

    def command(self) -> Sequence[str]:
        """Run twistd in the foreground."""
        return [script("twistd"), "--pidfile=", "-n", "mailnode", "--config", str(self._configuration)]

    def settle(self) -> None:
        """Add the one who authenticates."""
        if self.site.certificate:
            command = [script("mailnode"), "account", "add", "--config", str(self._configuration), USER]
            subprocess.run(command, input=PASSWORD, text=True, check=True, capture_output=True, timeout=20.0)

    @property
    def _configuration(self) -> Path:
        return self.folder / "mailnode.toml"


def with_workers(workers: int) -> type[Mailnode]:
    """Give mailnode with so many processes."""
    if workers == 1:
        return Mailnode
    return type("MailnodeShared", (Mailnode,), {"name": f"mailnode-{workers}", "workers": workers})
