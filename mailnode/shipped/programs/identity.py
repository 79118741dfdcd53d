"""Whose rights a program has: a user of the system when the node is root, the node's own otherwise. Never root's."""

import grp
import os
import pwd
from collections.abc import Mapping

from attrs import frozen

NOBODY = "nobody"
"""Who a program is when the node is root and the configuration names no user."""
PATH = "/usr/local/bin:/usr/bin:/bin"


@frozen
class Identity:
    """A user, and what changes for a process that is to be it."""

    name: str
    home: str
    uid: int | None = None
    """None: the process has the node's rights, nothing is changed."""
    gid: int | None = None

    def environment(self, further: Mapping[str, str]) -> dict[str, str]:
        """Give all that a program finds in its environment."""
        own = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": self.home, "USER": self.name, "LOGNAME": self.name}
        return {**own, **further}


def identity_of(user: str, group: str = "") -> Identity:
    """Find out who programs run as; blocks. Raises OSError when that is not possible, or not wise."""
    if os.geteuid() != 0:
        return _our_own(user, group)
    try:
        entry = pwd.getpwnam(user or NOBODY)
        gid = grp.getgrnam(group).gr_gid if group else entry.pw_gid
    except KeyError as missing:
        raise FileNotFoundError(f"there is no such user or group: {missing.args[0]}") from None
    if entry.pw_uid == 0 or gid == 0:
        raise PermissionError("programs are not run as root: set user, and group, to another one")
    return Identity(entry.pw_name, entry.pw_dir, entry.pw_uid, gid)


def _our_own(user: str, group: str) -> Identity:
    try:
        entry = pwd.getpwuid(os.geteuid())
        name, home = entry.pw_name, entry.pw_dir
    except KeyError:
        name, home = f"uid-{os.geteuid()}", "/"
    if (user and user != name) or group:
        raise PermissionError(f"the node is not root and runs programs only as {name}: leave user and group out")
    return Identity(name, home)
