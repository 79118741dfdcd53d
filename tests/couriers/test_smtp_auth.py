"""AUTH as a client: what is said, and what becomes of each answer."""

from base64 import b64encode
from pathlib import Path
from typing import Any, cast

import pytest

from mailnode.couriers.smtp_auth import Authentication
from mailnode.couriers.smtp_password import PasswordFile
from mailnode.couriers.smtp_security import Security
from mailnode.mail.reply import Reply
from mailnode.smtp.peeroffer import PeerOffer
from tests.kit.results import InlineDisk, now

TLS = Security("TLSv1.3 X", "")
IN = Reply.of(235, "2.7.0", "welcome")


class _Session:
    """Answers each line by what was prepared."""

    def __init__(self, mechanisms: str, *replies: Reply, security: Security = TLS) -> None:
        self.host = "smart.test"
        self.offer = PeerOffer(mechanisms=tuple(mechanisms.split()))
        self.security = security
        self.is_ready = True
        self.said: list[bytes] = []
        self._replies = list(replies)

    async def ask(self, _stage: object, line: bytes) -> Reply:
        """Give the next reply."""
        self.said.append(line)
        return self._replies.pop(0)


def _question(text: bytes) -> Reply:
    return Reply(334, (b64encode(text).decode(),))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Give a file with a password."""
    path = tmp_path / "secret"
    path.write_text("open sesame\r\nmore\n")
    path.chmod(0o600)
    return path


def _perform(path: Path, session: _Session, *, username: str = "bob", clear: bool = False) -> str:
    disk = InlineDisk()
    authentication = Authentication(username, PasswordFile(str(path), disk), clear, disk)
    return str(now(authentication.perform(cast("Any", session))) or "")


@pytest.mark.rfc("4954", "4")
def test_plain_goes_out_with_auth(secret: Path) -> None:
    """One line, one answer."""
    session = _Session("PLAIN", IN)
    assert not _perform(secret, session)
    assert session.said == [b"AUTH PLAIN " + b64encode(b"\0bob\0open sesame") + b"\r\n"]


@pytest.mark.rfc("4954", "4")
def test_a_long_answer_waits_for_the_question(secret: Path) -> None:
    """A command line has its limit: what is longer goes out alone."""
    session = _Session("PLAIN", Reply(334, ("",)), IN)
    assert not _perform(secret, session, username="b" * 400)
    assert session.said[0] == b"AUTH PLAIN\r\n"
    assert session.said[1] == b64encode(b"\0" + b"b" * 400 + b"\0open sesame") + b"\r\n"


def test_login_answers_two_questions(secret: Path) -> None:
    """Whatever they are called."""
    session = _Session("LOGIN", _question(b"Username:"), _question(b"Password:"), IN)
    assert not _perform(secret, session)
    assert session.said == [b"AUTH LOGIN\r\n", b"Ym9i\r\n", b64encode(b"open sesame") + b"\r\n"]


@pytest.mark.parametrize(
    ("mechanisms", "replies", "reason"),
    [
        ("CRAM-MD5", [], "451 4.7.0 smart.test offers no way"),
        ("PLAIN", [Reply.of(535, "5.7.8", "no")], "451 4.7.8 smart.test does not let us in as bob: 535 5.7.8 no"),
        ("PLAIN", [Reply.of(454, "4.7.0", "later")], "451 4.7.0 smart.test does not let us in as bob: 454 4.7.0 later"),
        ("SCRAM-SHA-256", [IN], "451 4.7.0 smart.test has not shown that it knows the password"),
        ("LOGIN", [Reply(334, ("?",)), IN], "451 4.7.0 smart.test does not authenticate rightly: a challenge is not"),
        ("LOGIN", [_question(b"x")] * 3 + [IN], "451 4.7.0 smart.test does not authenticate rightly: a third question"),
    ],
)
def test_what_goes_wrong_is_a_delay(secret: Path, mechanisms: str, replies: list[Reply], reason: str) -> None:
    """Each trouble has its words, and none is the message's end."""
    session = _Session(mechanisms, *replies)
    assert _perform(secret, session).startswith(reason)
    assert b"*\r\n" not in session.said[:-1]


def test_no_password_in_clear_text(secret: Path) -> None:
    """Without TLS nothing is said, unless the route allows it."""
    session = _Session("PLAIN", IN, security=Security())
    assert _perform(secret, session).startswith("451 4.7.4")
    assert not session.said
    assert not _perform(secret, session, clear=True)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing or empty file delays the mail; nothing is said to the host."""
    session = _Session("PLAIN")
    assert _perform(tmp_path / "missing", session).startswith("451 4.3.5 The password for smart.test cannot be read")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "odd").write_bytes(b"\xff\n")
    for name in ("empty", "odd"):
        assert _perform(tmp_path / name, session).startswith("451 4.3.5")
    assert not session.said
