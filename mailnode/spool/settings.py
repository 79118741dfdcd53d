"""The settings of the spool: the ``[spool]`` of the configuration."""

from attrs import frozen

from mailnode.mail.quantity import Octets


@frozen
class SpoolSettings:
    """How the spool uses its disk."""

    min_free: Octets = Octets(64 * 1024 * 1024)
    """Room that new mail leaves free on the disk: without any, not even what was delivered could be written down."""
