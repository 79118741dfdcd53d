"""Users that a server insists on and this machine does not have: in a copy of the user database that only it sees."""

from collections.abc import Mapping, Sequence
from pathlib import Path

UID = 64_900
"""The first of the users; the others follow."""


def write(folder: Path, names: Sequence[str]) -> None:
    """Write copies of passwd and group with these users into ``folder``."""
    users = "".join(f"{name}:x:{UID + n}:{UID + n}::/nonexistent:/usr/sbin/nologin\n" for n, name in enumerate(names))
    groups = "".join(f"{name}:x:{UID + n}:\n" for n, name in enumerate(names))
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + users)
    (folder / "group").write_text(Path("/etc/group").read_text() + groups)


def view(folder: Path) -> Mapping[str, Path]:
    """Give what a server shall see instead of the machine's users."""
    return {"/etc/passwd": folder / "passwd", "/etc/group": folder / "group"}
