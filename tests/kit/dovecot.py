"""A real Dovecot that takes mail by LMTP, with a few users of its own, in a folder that goes when the test ends.

Its folder lies directly in the system's temporary folder: paths of sockets are short, and its users may go there.
"""

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.kit.ports import free_port
from tests.kit.programs import find, missing, program
from tests.kit.waiting import until

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = lmtp
ssl = no
default_internal_user = {master}
default_internal_group = {group}
default_login_user = nobody
mail_plugins = quota
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
plugin {{
  quota = maildir:all
}}
service lmtp {{
  unix_listener lmtp {{
    path = {folder}/lmtp
    mode = 0666
  }}
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


class Dovecot:
    """A context manager; it runs from entering on and can be stopped and started inside.

    ``users`` are local parts with the octets each mailbox may hold; 0 is no limit. Every domain is its own.
    """

    def __init__(self, users: Mapping[str, int]) -> None:
        if find("dovecot") is None or not Path("/usr/lib/dovecot/lmtp").exists():
            missing("Dovecot takes no LMTP here (Debian package dovecot-lmtpd)")
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._write(users)

    @property
    def socket(self) -> Path:
        """Give the Unix socket where it speaks LMTP."""
        return self.folder / "lmtp"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it greets."""
        self._process = subprocess.Popen(
            [program("dovecot"), "-F", "-c", str(self.folder / "dovecot.conf")], stdin=subprocess.DEVNULL
        )
        until(self._listens, 20, lambda: f"Dovecot does not start: {self._log()}")

    def stop(self) -> None:
        """Stop it; nobody listens afterwards."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None
            self.socket.unlink(missing_ok=True)

    def messages(self, user: str) -> list[bytes]:
        """Give the messages in a mailbox, by age."""
        folder = self.folder / "mail" / user
        files = [file for part in ("new", "cur") for file in (folder / part).glob("*")]
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_ctime_ns)]

    def wait_for(self, user: str, count: int = 1, seconds: float = 20.0) -> list[bytes]:
        """Wait until ``count`` messages (or more) are in a mailbox, and give them."""
        until(lambda: len(self.messages(user)) >= count, seconds, lambda: f"nothing for {user}; log:\n{self._log()}")
        return self.messages(user)

    def _write(self, users: Mapping[str, int]) -> None:
        is_root = os.geteuid() == 0
        # Dovecot never opens a mailbox as root.
        owner = pwd.getpwnam("mail") if is_root else pwd.getpwuid(os.geteuid())
        master = pwd.getpwuid(os.geteuid())
        values = {"folder": self.folder, "port": self.port, "master": master.pw_name, "group": _group(master)}
        (self.folder / "dovecot.conf").write_text(_CONFIGURATION.format(**values))
        lines = [
            f"{user}:{{PLAIN}}x:{owner.pw_uid}:{owner.pw_gid}::{self.folder}/home/{user}::"
            + (f"userdb_quota_rule=*:bytes={limit}" if limit else "")
            for user, limit in users.items()
        ]
        (self.folder / "users").write_text("\n".join(lines) + "\n")
        self.folder.chmod(0o755)
        for name in ("mail", "home"):
            (self.folder / name).mkdir()
            if is_root:
                os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Dovecot ended: {self._log()}"
        return self.socket.exists()

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else "(no log)"


def _group(user: pwd.struct_passwd) -> str:
    return grp.getgrgid(user.pw_gid).gr_name
