"""Mail programs we did not write that read mailboxes: Dovecot's doveadm the Maildir, mutt both kinds.

Each is given a folder, ``place``, that other users may enter (Dovecot reads no mail as root), with the mailbox below it.
"""

import os
import pty
import select
import shutil
import signal
import subprocess
from pathlib import Path

from tests.kit.programs import program

LONG = 30.0
"""Seconds after which a program that does not end fails the test."""


def as_nobody(place: Path) -> str:
    """Give the folder to a user that Dovecot accepts, and name it."""
    if os.geteuid() != 0:
        return os.environ.get("USER", "nobody")
    for path in [place, *place.rglob("*")]:
        shutil.chown(path, "nobody", "nogroup")
    return "nobody"


def doveadm(place: Path, mailbox: Path, fields: str) -> str:
    """Fetch fields of all messages with Dovecot."""
    user = as_nobody(place)
    config = place / "dovecot.conf"
    run_as = f"mail_uid = {user}\nmail_gid = nogroup\n" if os.geteuid() == 0 else ""
    config.write_text(
        f"base_dir = {place}/run\nstate_dir = {place}/run\nprotocols =\nssl = no\nlog_path = /dev/stderr\n"
        f"first_valid_uid = 0\nmail_location = maildir:{mailbox}\n{run_as}"
    )
    done = subprocess.run(
        [program("doveadm"), "-c", str(config), "fetch", fields, "all"],
        env={**os.environ, "USER": user, "HOME": str(place)},
        cwd=place,
        capture_output=True,
        timeout=LONG,
        check=True,
    )
    assert b"Error" not in done.stderr, done.stderr.decode()
    return done.stdout.decode()


def mutt(place: Path, mailbox: Path) -> bytes:
    """Let mutt open the mailbox on a terminal of its own and pipe every message into a file."""
    (place / "muttrc").write_text(f"set folder={place}\nset quit=yes\nset wait_key=no\nset pipe_split=yes\n")
    keys = f'push "<tag-pattern>~A<enter><tag-prefix><pipe-message>cat >> {place}/read<enter><exit>"'
    command = [program("mutt"), "-n", "-F", str(place / "muttrc"), "-R", "-f", str(mailbox), "-e", keys]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="vt100", HOME=str(place), LC_ALL="C.UTF-8")
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    try:
        _drain(terminal)
    except TimeoutError:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return (place / "read").read_bytes()


def _drain(terminal: int) -> None:
    """Read what a program writes on its terminal until it ends."""
    while select.select([terminal], [], [], LONG)[0]:
        try:
            if not os.read(terminal, 65536):
                return
        except OSError:  # Linux says EIO when the other end of a terminal is closed
            return
    raise TimeoutError
