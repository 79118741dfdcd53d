"""Faults of what mail leaves with: authorities and passwords in files, terms that a way cannot keep."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mailnode.routing.settings import RouteSettings
from mailnode.service.faults import Fault
from mailnode.service.settings import NodeSettings

Steps = tuple[str | int, ...]


def outgoing_faults(settings: NodeSettings) -> Iterator[Fault]:
    """Look at [smtp], [lmtp] and all routes."""
    for heading, courier in (("smtp", settings.smtp), ("lmtp", settings.lmtp)):
        if courier.ca_file:
            yield from _authorities((heading, "ca_file"), courier.ca_file)
    if settings.smtp.tls == "implicit":
        yield Fault(
            ("smtp", "tls"), "the mail hosts of the world do not speak TLS from the first octet; say it of a route"
        )
    for place, route in enumerate(settings.route):
        yield from _route(("route", place), route)


def _authorities(steps: Steps, path: str) -> Iterator[Fault]:
    from mailnode.certificates.restocking import read_authorities  # noqa: PLC0415 - it loads OpenSSL
    from mailnode.certificates.stock import Unusable  # noqa: PLC0415

    try:
        read_authorities(path)
    except Unusable as fault:
        yield Fault(steps, str(fault))


def _route(steps: Steps, route: RouteSettings) -> Iterator[Fault]:
    if route.next_hop.startswith("unix:"):
        for name in ("tls", "username"):
            if getattr(route, name):
                yield Fault((*steps, name), "is of no use for a socket in the file system")
    if route.password_file:
        try:
            with Path(route.password_file).open("rb"):
                pass
        except OSError as error:
            yield Fault((*steps, "password_file"), f"{route.password_file} cannot be read: {error.strerror}")


def exposed_passwords(settings: NodeSettings) -> Iterator[str]:
    """Tell of password files that others than their owner can read."""
    for route in settings.route:
        if route.password_file:
            mode = stat.S_IMODE(os.stat(route.password_file).st_mode)  # noqa: PTH116 - one call
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                yield f"{route.password_file} can be read by others; chmod 600 keeps the password to its owner"
