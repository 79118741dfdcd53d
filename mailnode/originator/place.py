"""Where programs meet their node: the public part of its data folder."""

from pathlib import Path

from attrs import frozen

PUBLIC = "public"
LONGEST_ORIGIN = 300
"""Octets of the file ``origin`` that are read."""


@frozen
class Place:
    """The meeting place in one data folder."""

    data: Path
    """The data folder."""

    @property
    def public(self) -> Path:
        """Give the folder that everybody may enter."""
        return self.data / PUBLIC

    @property
    def socket(self) -> Path:
        """Give the unix socket where the node takes mail while it runs."""
        return self.public / "submit"

    @property
    def maildrop(self) -> Path:
        """Give the folder for mail that waits for the node."""
        return self.public / "maildrop"

    @property
    def origin_file(self) -> Path:
        """Give the file that tells the domain of addresses without one."""
        return self.public / "origin"

    def origin(self) -> str:
        """Read the domain of addresses without one; empty when the node has not told it."""
        try:
            with self.origin_file.open("rb") as file:
                return file.read(LONGEST_ORIGIN).decode("utf-8", "replace").strip()
        except OSError:
            return ""
