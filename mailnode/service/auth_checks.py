"""Faults of the settings of authentication."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mailnode.service.authorities import offers_auth
from mailnode.service.faults import Fault
from mailnode.service.settings import NodeSettings

_AT_LEAST_ONE = ("checks_at_once", "client_failures", "account_failures", "account_failures_everywhere", "tracked")
_URLS = ("introspection_url", "keys_url", "discovery_url")
_OWN = ("accounts", "ldap", "pam")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def auth_faults(settings: NodeSettings) -> Iterator[Fault]:
    """Look at everything that says who may log in."""
    auth = settings.auth
    for name in _AT_LEAST_ONE:
        if getattr(auth, name) < 1:
            yield Fault(("auth", name), "there is at least 1")
    if not auth.window:
        yield Fault(("auth", "window"), 'failures are counted in no time at all; write a duration such as "10m"')
    yield from _source(settings)
    yield from _oauth(settings)


def _source(settings: NodeSettings) -> Iterator[Fault]:
    source = settings.auth.source
    if source not in _OWN and ":" not in source:
        yield Fault(("auth", "source"), f'expected {", ".join(_OWN)} or "package.module:Class", not "{source}"')
    elif source != "accounts" and any(map(offers_auth, settings.listener)):
        problem = _problem_with(source)
        if problem:
            yield Fault(("auth", "source"), problem)
    if source == "ldap" and not settings.auth.ldap.base:
        yield Fault(("auth", "ldap", "base"), "expected the entry beneath which users are searched")


def _problem_with(source: str) -> str:
    """Say why whoever knows the passwords cannot be asked; empty when it can."""
    from mailnode.authentication import checkers, ldap, pam  # noqa: PLC0415 - only such a configuration needs them

    try:
        match source:
            case "ldap":
                ldap.the_library()
            case "pam":
                pam.the_library()
            case _:
                checkers.checker_named(source)
    except ValueError as error:
        return str(error)
    return ""


def _oauth(settings: NodeSettings) -> Iterator[Fault]:
    oauth = settings.auth.oauth
    for name in _URLS:
        url = getattr(oauth, name)
        parts = urlsplit(url)
        is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if url and not (parts.hostname and (parts.scheme == "https" or is_local)):
            yield Fault(("auth", "oauth", name), f'expected https://..., for whoever is on the way could lie: "{url}"')
    for name in ("keys", "client_secret_file"):
        file = getattr(oauth, name)
        if file and not Path(file).is_file():
            yield Fault(("auth", "oauth", name), f"there is no file {file}")
    if bool(oauth.introspection_url) + bool(oauth.keys) + bool(oauth.keys_url) > 1:
        yield Fault(("auth", "oauth"), "tokens are judged by one of introspection_url, keys and keys_url")
    for place, algorithm in enumerate(oauth.algorithms):
        if algorithm.upper().startswith("HS") or algorithm.lower() == "none":
            yield Fault(("auth", "oauth", "algorithms", place), f"{algorithm} would let anybody sign")
    if oauth.keys or oauth.keys_url:
        yield from _has_jwt()


def _has_jwt() -> Iterator[Fault]:
    try:
        import jwt  # noqa: F401, PLC0415 - an extra
    except ImportError:
        yield Fault(("auth", "oauth"), 'signed tokens need PyJWT: pip install "mailnode[oauth]"')
