"""CRAM-MD5: the challenge, the digest, and whoever does not know the password."""

import hmac
from random import Random
from typing import Any

import pytest
from twisted.internet.task import Clock

from mailnode.authentication.cram_md5 import CramMd5Authority
from mailnode.authentication.settings import AuthSettings
from mailnode.authentication.watch import Watch
from mailnode.couriers.calling import CramMd5 as Client
from mailnode.interfaces import Authenticated, AuthExchange, Challenge, Refused
from mailnode.mail.message import Peer
from mailnode.mail.quantity import Seconds
from tests.kit.results import now

PEER = Peer("192.0.2.1")
SECURE = Peer("192.0.2.1", tls="TLSv1.3")


class Others:
    """Another authority."""

    def mechanisms(self, peer: Peer) -> tuple[str, ...]:
        """Offer one."""
        return ("PLAIN",)

    def begin(self, peer: Peer, mechanism: str) -> AuthExchange:
        """Refuse with a word of its own."""
        raise LookupError(mechanism)


def authority(base: Any = None, **more: Any) -> CramMd5Authority:
    """Make one where Branch has a password."""
    watch = Watch(AuthSettings(delay=Seconds(0)), Clock(), lambda _: False)
    secrets = {"branch": ("Branch", b"open sesame")}
    return CramMd5Authority(lambda name: secrets.get(name.casefold()), watch, Random(1), "mx.example", base, **more)


def tried(name: str, password: str, peer: Peer = PEER) -> Authenticated:
    """Go through an exchange as a client that knows this password."""
    exchange = authority().begin(peer, "CRAM-MD5")
    challenge = now(exchange.step(None))
    assert isinstance(challenge, Challenge)
    said = now(exchange.step(Client(name, password).respond(challenge.octets)))
    assert isinstance(said, Authenticated)
    return said


@pytest.mark.rfc("2195", "2")
def test_whoever_knows_the_password_is_the_account() -> None:
    """The name may be written in any case; what the RFC's own example says is our digest too."""
    assert tried("branch", "open sesame").account == "Branch"
    asked = b"<1896.697170952@postoffice.reston.mci.net>"
    assert Client("tim", "tanstaaftanstaaf").respond(asked) == b"tim b913a602c7eda7a495b4e6e7334d3890"


@pytest.mark.parametrize(
    ("name", "password"), [("branch", "wrong"), ("nobody", "open sesame"), ("nobody", "nobody"), ("", "")]
)
def test_others_are_told_nothing(name: str, password: str) -> None:
    """535 for a wrong password and for a wrong name alike."""
    with pytest.raises(Refused) as refused:
        tried(name, password)
    assert str(refused.value.reply).startswith("535 5.7.8")


@pytest.mark.parametrize("response", [b"", b"branch", b"\xff \xff", b"branch " + b"f" * 5000])
def test_nonsense_is_535(response: bytes) -> None:
    """Any octets are just a wrong answer."""
    exchange = authority().begin(PEER, "CRAM-MD5")
    now(exchange.step(None))
    with pytest.raises(Refused) as refused:
        now(exchange.step(response))
    assert refused.value.reply.code == 535


def test_an_old_answer_is_worth_nothing() -> None:
    """Each exchange has a challenge of its own."""
    one = authority()
    first = now(one.begin(PEER, "CRAM-MD5").step(None))
    second = now(one.begin(PEER, "CRAM-MD5").step(None))
    assert isinstance(first, Challenge)
    assert isinstance(second, Challenge)
    assert first.octets != second.octets
    assert hmac.digest(b"k", first.octets, "md5")


def test_others_need_tls() -> None:
    """In the clear there is only the mechanism that keeps the secret, unless the listener says otherwise."""
    assert authority(Others()).mechanisms(PEER) == ("CRAM-MD5",)
    assert authority(Others()).mechanisms(SECURE) == ("PLAIN", "CRAM-MD5")
    assert authority(Others(), base_without_tls=True).mechanisms(PEER) == ("PLAIN", "CRAM-MD5")
    with pytest.raises(Refused) as refused:
        authority(Others()).begin(PEER, "PLAIN")
    assert refused.value.reply.code == 538
    with pytest.raises(LookupError):
        authority(Others()).begin(SECURE, "PLAIN")
    with pytest.raises(Refused) as refused:
        authority().begin(SECURE, "PLAIN")
    assert refused.value.reply.code == 504
    with pytest.raises(Refused) as refused:
        now(authority().begin(PEER, "CRAM-MD5").step(b"early"))
    assert refused.value.reply.code == 501
