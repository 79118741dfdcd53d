"""Faults of TLS in a configuration: files that cannot be read or do not fit, and settings that say nothing together.

A certificate that has expired is no fault: a mail host that would not start for it helps nobody. Neither is a file that
this user may not read: root reads it at the start, and a SIGHUP later must not fail for it. ``warnings_in`` tells of both
for the command ``check``, and the log of the start of the first.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mailnode.service.faults import Fault
from mailnode.service.settings import ListenerSettings, NodeSettings

if TYPE_CHECKING:
    from mailnode.certificates.settings import CertificateSettings

Steps = tuple[str | int, ...]


def tls_faults(settings: NodeSettings) -> Iterator[Fault]:
    """Look at all listeners and certificates."""
    for place, listener in enumerate(settings.listener):
        yield from _listener(("listener", place), listener)
    for place, certificate in enumerate(settings.certificate):
        steps = ("certificate", place)
        if certificate.certificate:
            yield from _pair(steps, certificate)
        else:
            yield Fault((*steps, "certificate"), "expected a PEM file")


def _listener(steps: Steps, listener: ListenerSettings) -> Iterator[Fault]:
    if listener.tls == "none":
        for name in ("certificate", "private_key", "client_ca"):
            if getattr(listener, name):
                yield Fault((*steps, name), 'is of no use while tls is "none"; write "starttls" or "implicit" there')
        return
    if listener.certificate:
        yield from _pair(steps, listener)
    elif listener.private_key:
        yield Fault((*steps, "private_key"), "is of no use without a certificate")
    if listener.client_ca:
        yield from _authorities((*steps, "client_ca"), listener.client_ca)


def _pair(steps: Steps, files: "ListenerSettings | CertificateSettings") -> Iterator[Fault]:
    from mailnode.certificates.reading import read_pair  # noqa: PLC0415 - it loads OpenSSL
    from mailnode.certificates.stock import Unusable  # noqa: PLC0415
    from mailnode.service.certificates import source_of  # noqa: PLC0415

    source = source_of(files.certificate, files.private_key)
    try:
        read_pair(source)
    except Unusable as fault:
        if fault.is_forbidden:
            return
        is_key = files.private_key and fault.file == source.private_key
        yield Fault((*steps, "private_key" if is_key else "certificate"), str(fault))


def _authorities(steps: Steps, path: str) -> Iterator[Fault]:
    from mailnode.certificates.restocking import read_authorities  # noqa: PLC0415
    from mailnode.certificates.stock import Unusable  # noqa: PLC0415

    try:
        read_authorities(path)
    except Unusable as fault:
        if not fault.is_forbidden:
            yield Fault(steps, str(fault))


def warnings_in(settings: NodeSettings, now: float) -> Sequence[str]:
    """Say what is no fault and should be known all the same, of settings without faults."""
    own = [(one.certificate, one.private_key) for one in settings.listener if one.certificate]
    named = dict.fromkeys([*own, *((one.certificate, one.private_key) for one in settings.certificate)])
    if not named:
        return []
    said = [_warning(files, now) for files in named]
    return [warning for warning in said if warning]


def _warning(files: tuple[str, str], now: float) -> str:
    from mailnode.certificates.reading import read_pair, says_of_time  # noqa: PLC0415
    from mailnode.certificates.stock import Unusable  # noqa: PLC0415
    from mailnode.service.certificates import source_of  # noqa: PLC0415

    try:
        words = says_of_time(read_pair(source_of(*files)), now)
    except Unusable as trouble:
        return f"{trouble} (for this user; it is enough that whoever starts the node may read it)"
    return f"the certificate in {files[0]} {words}" if words else ""
