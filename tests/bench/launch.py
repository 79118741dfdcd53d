"""Starting a server privately: it dies with us, owns its orphans, and sees folders of its own in well-known places.

Servers built to be installed have paths compiled in (/var/spool/smtpd, /etc/passwd). A mount namespace of its own
lets each find its folder there, and no file of the machine is touched (mount_namespaces(7)).
"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.kit import proc

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_IS_ROOT = os.geteuid() == 0
"""Others cannot change what a program sees."""
STOP_SECONDS = 15.0


class Running:
    """A program that runs in the foreground, with all the processes that come of it."""

    def __init__(self, command: Sequence[str], log: Path, view: Mapping[str, Path], user: str = "") -> None:
        """Start it; ``view`` has places of the machine and what the program shall find there instead."""
        owner = pwd.getpwnam(user) if user else None
        places = [(str(source).encode(), target.encode()) for target, source in view.items()] if _IS_ROOT else []

        def prepare() -> None:
            # A delivery whose parent has gone comes to the server, which waits for it: its processor time counts.
            _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            if places:
                _must(_LIBC.unshare(_CLONE_NEWNS))
                _must(_LIBC.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
            for source, target in places:
                _must(_LIBC.mount(source, target, None, _MS_BIND, None))
            if owner is not None:
                os.setgroups([])
                os.setgid(owner.pw_gid)
                os.setuid(owner.pw_uid)
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent, start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 - servers start while no thread of ours runs
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Give the process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it politely, then whatever of it is left."""
        all_of_it = list(proc.tree(self.pid)) if self.is_alive else []
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in all_of_it[1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _must(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
