"""The servers under test: each is started with a configuration of its own, on a high loopback port.

All do the same work at the same durability: what is acknowledged is on the disk (fsync). None of them can send
anywhere but to the sink on the loopback network.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.bench.scenarios import DOMAIN
from tests.kit.node import Node
from tests.kit.ports import free_port, greets
from tests.kit.programs import find
from tests.kit.waiting import until


class Server(Protocol):
    """One program under test."""

    name: str
    port: int
    """Where it speaks SMTP."""
    maildirs: Path
    """Folder of the bench domain's mailboxes."""

    @property
    def pid(self) -> int:
        """Give the root of its process tree."""
        ...

    def start(self) -> None:
        """Start it and wait for its greeting."""
        ...

    def stop(self) -> None:
        """End it and all of its processes."""
        ...


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
relayhost = [127.0.0.1]:{sink}
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


class Postfix:
    """Postfix with its defaults, but for the folders, the port and where mail goes."""

    name = "postfix"

    def __init__(self, folder: Path, sink_port: int, mailboxes: Sequence[str]) -> None:
        self.port = free_port()
        self.maildirs = folder / "mail" / DOMAIN
        self._folder = folder
        self._sink_port = sink_port
        self._mailboxes = mailboxes
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Give the process id of ``master``."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Write its configuration into its folder and start it in the foreground."""
        self._configure()
        self._process = subprocess.Popen([_postfix(), "-c", str(self._folder), "start-fg"], stderr=subprocess.DEVNULL)
        until(lambda: greets(self.port), 20, "Postfix does not greet")

    def stop(self) -> None:
        """Stop it."""
        subprocess.run(
            [_postfix(), "-c", str(self._folder), "stop"], stderr=subprocess.DEVNULL, check=False, timeout=60
        )
        if self._process is not None:
            self._process.wait(60)

    def _configure(self) -> None:
        folder = self._folder
        (folder / "data").mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        (folder / "queue").mkdir()
        self.maildirs.mkdir(parents=True)
        owner = self.maildirs.parent.stat()
        if owner.st_uid == 0:  # virtual(8) never writes as root
            for path in (self.maildirs, self.maildirs.parent):
                shutil.chown(path, "mail", "mail")
            owner = self.maildirs.parent.stat()
        (folder / "mailboxes").write_text("".join(f"{box}@{DOMAIN} {DOMAIN}/{box}/\n" for box in self._mailboxes))
        daemons = next(path for path in ("/usr/lib/postfix/sbin", "/usr/libexec/postfix") if os.path.isdir(path))
        (folder / "main.cf").write_text(
            _MAIN.format(
                folder=folder,
                daemons=daemons,
                domain=DOMAIN,
                sink=self._sink_port,
                owner=owner.st_uid,
                group=owner.st_gid,
            )
        )
        (folder / "master.cf").write_text(_MASTER.format(port=self.port))


def _postfix() -> str:
    return find("postfix") or "postfix"


_SETTINGS = """
[node]
workers = {workers}
hostname = "mailnode.{domain}"
data = "{{data}}"
trusted_networks = ["127.0.0.0/8"]

[[listener]]
name = "mx"
service = "smtp"
endpoint = "tcp:{{port:mx}}:interface=127.0.0.1:backlog=1000"
tls = "none"

[[domain]]
name = "{domain}"
courier = "maildir"
accounts = "any"

[[route]]
match = "*"
courier = "smtp"
next_hop = "[127.0.0.1]:{sink}"
"""


class Mailnode:
    """Ours, one worker."""

    name = "mailnode"
    workers = 1

    def __init__(self, folder: Path, sink_port: int, mailboxes: Sequence[str]) -> None:
        del mailboxes  # they come into being by themselves
        self._node = Node(folder, _SETTINGS.format(domain=DOMAIN, sink=sink_port, workers=self.workers))
        self.port = self._node.port("mx")
        self.maildirs = self._node.maildir(f"nobody@{DOMAIN}").parent

    @property
    def pid(self) -> int:
        """Give the process id of twistd."""
        return self._node.pid

    def start(self) -> None:
        """Start it."""
        self._node.start()

    def stop(self) -> None:
        """Stop it."""
        self._node.stop()


class TwoWorkers(Mailnode):
    """Ours, two processes."""

    name = "mailnode-2"
    workers = 2


SERVERS: Mapping[str, Callable[[Path, int, Sequence[str]], Server]] = {
    Postfix.name: Postfix,
    Mailnode.name: Mailnode,
    TwoWorkers.name: TwoWorkers,
}
"""How to make each server, from its folder, the sink's port and the local parts of its mailboxes.

The first is what the others are compared with.
"""
