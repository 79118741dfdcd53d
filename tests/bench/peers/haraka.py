"""Haraka: one process of Node.js, with a small plugin that writes Maildirs."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import DOMAIN, PASSWORD, USER
from tests.bench.software import said_by, version_in
from tests.kit.programs import find

_PLUGIN = Path(__file__).with_name("haraka_keep.js")


class Haraka(Server):
    """Haraka from npm in one process."""

    name = "haraka"
    says = "its Maildir is a plugin of ours of 20 lines: fsync of the file, none of the folder, none of its queue; the password is kept in clear text"

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell what is missing."""
        if not find("node"):
            return "node is not installed"
        return "" if _haraka(software).exists() else "it could not be fetched"

    @classmethod
    def version(cls, software: Path) -> str:
        """Read its package."""
        package = json.loads((_haraka(software).parents[1] / "package.json").read_text())
        return f"{package['version']} (Node.js {version_in(said_by('node', '--version'))})"

    def write_configuration(self) -> None:
        """Write its folder: ini files, the list of plugins, and ours."""
        config, plugins = self.folder / "config", self.folder / "plugins"
        config.mkdir()
        shutil.copy(
            _haraka(self.site.software).parents[1] / "config/connection.ini", config
        )  # it does not start without
        plugins.mkdir()
        shutil.copy(_PLUGIN, plugins / "keep.js")
        site = {
            "domain": DOMAIN, "maildirs": str(self.maildirs), "hops": dict(self.site.next_hops),
            "port": self.site.next_hop_port,
        }  # fmt: skip
        files = {
            "smtp.ini": f"listen=127.0.0.1:{self.port}\n",
            "plugins": "keep\n",
            "me": f"haraka.{DOMAIN}\n",
            "site.json": json.dumps(site),
            "outbound.ini": "local_mx_ok=true\nenable_tls=false\n",
        }
        if self.site.certificate:
            self.site.certificate.copied(config)
            files |= {
                "smtp.ini": f"listen=127.0.0.1:{self.port},127.0.0.1:{self.submission_port}\n",
                "plugins": "tls\nauth/flat_file\nkeep\n",
                "tls.ini": "key=privkey.pem\ncert=fullchain.pem\n",
                "auth_flat_file.ini": f"[core]\nmethods=PLAIN,LOGIN,CRAM-MD5\n[users]\n{USER}={PASSWORD}\n",
            }
        for name, text in files.items():
            (config / name).write_text(text)

    def command(self) -> Sequence[str]:
        """Run it."""
        return [find("node") or "node", str(_haraka(self.site.software)), "-c", str(self.folder)]


def _haraka(software: Path) -> Path:
    return software / "haraka/node_modules/Haraka/bin/haraka"
