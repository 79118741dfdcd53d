"""PAM, with service files of our own for modules that always say yes or no."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mailnode.authentication.pam import PamCredentials
from mailnode.interfaces import CredentialsTrouble, Standing
from mailnode.mail.address import Mailbox
from tests.kit.programs import need_root
from tests.kit.results import InlineDisk, now

FOLDER = Path("/etc/pam.d")


def service(name: str, module: str) -> Path:
    """Write a service file of one module."""
    file = FOLDER / name
    file.write_text(f"auth required {module}\naccount required pam_permit.so\n")
    return file


@pytest.fixture
def names() -> Iterator[dict[str, str]]:
    """Give services that say yes, no, and nothing."""
    need_root()
    pytest.importorskip("pamela")
    made = {what: f"mailnode-test-{what}-{os.getpid()}" for what in ("yes", "no", "unix", "broken")}
    modules = {"yes": "pam_permit.so", "no": "pam_deny.so", "unix": "pam_unix.so nodelay", "broken": "pam_nothing.so"}
    files = [service(made[what], module) for what, module in modules.items()]
    yield made
    for file in files:
        file.unlink()


def asked(name: str, user: str, password: str) -> Standing:
    """Ask a service."""
    return now(PamCredentials(name, InlineDisk(), at_once=1).verify(Mailbox(user, "example.org"), password))


def test_pam_decides(names: dict[str, str]) -> None:
    """Yes is yes and no is no; a module that is not there lets nobody in; NUL is never handed on."""
    assert asked(names["yes"], "root", "x") is Standing.ACTIVE
    assert asked(names["yes"], "root", "x\0y") is Standing.UNKNOWN
    assert asked(names["no"], "root", "x") is Standing.UNKNOWN
    assert asked(names["unix"], "root", "surely not this") is Standing.UNKNOWN
    assert asked(names["unix"], "nobody-of-that-name", "x") is Standing.UNKNOWN
    with suppress(CredentialsTrouble):  # as good
        assert asked(names["broken"], "root", "x") is Standing.UNKNOWN


def test_users_of_this_machine_stand() -> None:
    """Whoever has an entry is known; PAM has no verifiers."""
    made = PamCredentials("mailnode", InlineDisk(), at_once=1)
    assert now(made.standing(Mailbox("root", "example.org"))) is Standing.ACTIVE
    assert now(made.standing(Mailbox("nobody-of-that-name", "example.org"))) is Standing.UNKNOWN
    assert not made.has_verifiers
    with pytest.raises(CredentialsTrouble):
        now(made.verifier(Mailbox("root", "example.org")))
    made.close()
