"""Dovecot's LMTP server: what most hosts hand their mail to."""

import grp
import os
import pwd
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import Site
from tests.bench.software import said_by, version_in
from tests.kit.ports import free_port
from tests.kit.programs import find

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = lmtp
ssl = no
default_internal_user = {master}
default_internal_group = {group}
default_login_user = nobody
mail_location = maildir:{maildirs}/%n
first_valid_uid = 1
auth_username_format = %Ln
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%n allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot(Server):
    """Debian's Dovecot; speaks LMTP only."""

    name = "dovecot"
    says = "with its index files beside each Maildir"
    does = frozenset({"lmtp"})

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.port, self.lmtp_port = 0, free_port()
        self.submission_port = 0

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell what is missing."""
        there = find("dovecot") and Path("/usr/lib/dovecot/lmtp").exists()
        return "" if there else "Dovecot with LMTP is not installed"

    @classmethod
    def version(cls, software: Path) -> str:
        """Ask the program."""
        return version_in(said_by(find("dovecot") or "dovecot", "--version"))

    def write_configuration(self) -> None:
        """Write dovecot.conf."""
        owner, master = pwd.getpwnam("mail"), pwd.getpwuid(os.geteuid())
        (self.folder / "home").mkdir()
        for path in (self.maildirs, self.folder / "home"):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)
        (self.folder / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                folder=self.folder, master=master.pw_name, group=grp.getgrgid(master.pw_gid).gr_name,
                maildirs=self.maildirs, uid=owner.pw_uid, gid=owner.pw_gid, port=self.lmtp_port,
            )
        )  # fmt: skip

    def command(self) -> Sequence[str]:
        """Run it in the foreground."""
        return [find("dovecot") or "dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
