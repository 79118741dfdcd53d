"""OpenSMTPD: a handful of processes, and one more for each delivery."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.peers import accounts
from tests.bench.server import Server
from tests.bench.site import DOMAIN
from tests.bench.software import lacks, said_by, version_in

_CONFIGURATION = """\
listen on 127.0.0.1 port {port} hostname opensmtpd.{domain}
action "keep" maildir "{maildirs}/%{{rcpt.user}}" virtual {{ "@" = "mail" }}
{actions}
match from any for domain "{domain}" action "keep"
{matches}
"""


class Opensmtpd(Server):
    """Debian's opensmtpd."""

    name = "opensmtpd"
    says = (
        "5 sessions at a time: its listen queue holds 5, and of 20 most would wait a second to get in; no fsync of its queue; no TLS: "
        "this version cannot use its own key with OpenSSL 3"
    )
    does = frozenset({"deliver", "relay", "relay-many"})
    at_once = 5

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell what is missing."""
        return lacks(software / "opensmtpd/usr/sbin/smtpd")

    @classmethod
    def version(cls, software: Path) -> str:
        """Ask the program."""
        return version_in(said_by(software / "opensmtpd/usr/sbin/smtpd", "-h"))

    def write_configuration(self) -> None:
        """Write smtpd.conf, and the folder in which it makes its queue."""
        folder, hops = self.folder, self.site.next_hops
        accounts.write(folder, ["opensmtpd", "opensmtpq"])
        for name in ("run", "spool/smtpd", "lib/opensmtpd/empty"):
            (folder / name).mkdir(parents=True)
        (folder / "spool/smtpd").chmod(0o711)
        for path in (self.maildirs.parent, self.maildirs):
            shutil.chown(path, "mail", "mail")
        port = self.site.next_hop_port
        actions = (f'action "{hop}" relay host "smtp://{to}:{port}"' for hop, to in hops.items())
        matches = (f'match from any for domain "{hop}" action "{hop}"' for hop in hops)
        (folder / "smtpd.conf").write_text(
            _CONFIGURATION.format(
                port=self.port, domain=DOMAIN, maildirs=self.maildirs,
                actions="\n".join(actions), matches="\n".join(matches),
            )
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        """Run it in the foreground."""
        smtpd = self.site.software / "opensmtpd/usr/sbin/smtpd"
        return [str(smtpd), "-F", "-f", str(self.folder / "smtpd.conf")]

    def view(self) -> Mapping[str, Path]:
        """Let it find its users, its spool and its helpers."""
        helpers = self.site.software / "opensmtpd/usr/libexec"
        own = {f"/var/{name}": self.folder / name for name in ("spool", "lib")}
        # It executes itself by the name it was started with, and smtpctl by the name compiled in (never needed here).
        return {
            **super().view(),
            **own,
            "/run": self.folder / "run",
            "/usr/libexec": helpers,
            **accounts.view(self.folder),
        }
