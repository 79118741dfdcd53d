"""Postfix with its defaults, but for the folders, the port and where mail goes."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import DOMAIN
from tests.kit.programs import find

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = postfix.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
relayhost = [127.0.0.1]:1
transport_maps = texthash:{folder}/transport
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{group}
alias_maps =
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n -  0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -  - trivial-rewrite
bounce    unix  - - n -  0 bounce
defer     unix  - - n -  0 bounce
trace     unix  - - n -  0 bounce
verify    unix  - - n -  1 verify
proxymap  unix  - - n -  - proxymap
proxywrite unix - - n -  1 proxymap
smtp      unix  - - n -  - smtp
relay     unix  - - n -  - smtp
error     unix  - - n -  - error
retry     unix  - - n -  - error
virtual   unix  - n n -  - virtual
anvil     unix  - - n -  1 anvil
scache    unix  - - n -  1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
"""The services of Postfix's own master.cf that take part, outside a chroot, with their default limits."""

_DAEMONS = ("/usr/lib/postfix/sbin", "/usr/libexec/postfix")


class Postfix(Server):
    """The one that others are compared with."""

    name = "postfix"
    most_sessions = 100  # its default limit of processes

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell whether it is installed."""
        return "" if find("postfix") else "Postfix is not installed"

    def write_configuration(self) -> None:
        """Write main.cf, master.cf and the tables."""
        folder = self.folder
        for name, owner in (("data", "postfix"), ("queue", "root")):
            (folder / name).mkdir()
            shutil.chown(folder / name, owner)
        shutil.chown(self.maildirs, "mail", "mail")  # virtual(8) never writes as root
        mail = self.maildirs.stat()
        shutil.chown(self.maildirs.parent, "mail", "mail")
        boxes = (f"{box}@{DOMAIN} {DOMAIN}/{box}/\n" for box in self.site.mailboxes)
        (folder / "mailboxes").write_text("".join(boxes))
        hops = (f"{hop} smtp:[{to}]:{self.site.next_hop_port}\n" for hop, to in self.site.next_hops.items())
        (folder / "transport").write_text("".join(hops))
        daemons = next(path for path in _DAEMONS if os.path.isdir(path))
        (folder / "main.cf").write_text(
            _MAIN.format(folder=folder, daemons=daemons, domain=DOMAIN, owner=mail.st_uid, group=mail.st_gid)
        )
        (folder / "master.cf").write_text(_MASTER.format(port=self.port))

    def command(self) -> Sequence[str]:
        """Run ``master`` through postfix(1)."""
        return [find("postfix") or "postfix", "-c", str(self.folder), "start-fg"]

    def stop(self) -> None:
        """Stop it its own way first: ``master`` alone knows all of its children."""
        if self._running is not None:
            command = [find("postfix") or "postfix", "-c", str(self.folder), "stop"]
            subprocess.run(command, stderr=subprocess.DEVNULL, check=False, timeout=60)
        super().stop()
