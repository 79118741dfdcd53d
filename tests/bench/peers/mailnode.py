"""mailnode itself, as a user would run it: ``twistd -n mailnode``, with one worker or several."""

from collections.abc import Sequence

from tests.bench.server import Server
from tests.bench.site import DOMAIN, Site
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
tls = "none"

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
    does = frozenset({"deliver", "relay", "relay-many", "lmtp", "queue"})
    workers = 1

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.lmtp_port = free_port()

    def write_configuration(self) -> None:
        """Write mailnode.toml."""
        text = _SETTINGS.format(
            domain=DOMAIN, folder=self.folder, workers=self.workers, port=self.port, lmtp=self.lmtp_port
        )
        port = self.site.next_hop_port
        routes = (_ROUTE.format(hop=hop, to=to, port=port) for hop, to in self.site.next_hops.items())
        (self.folder / "mailnode.toml").write_text(text + "".join(routes))

    def command(self) -> Sequence[str]:
        """Run twistd in the foreground."""
        return [script("twistd"), "--pidfile=", "-n", "mailnode", "--config", str(self.folder / "mailnode.toml")]


def with_workers(workers: int) -> type[Mailnode]:
    """Give mailnode with so many processes."""
    if workers == 1:
        return Mailnode
    return type("MailnodeShared", (Mailnode,), {"name": f"mailnode-{workers}", "workers": workers})
