"""SCRAM against clients that we did not write, against those that cheat, and with TLS 1.3's channel binding."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from attrs import evolve
from scramp import ScramClient

from mailnode.authentication.scram import Scram, is_proof, read_first
from mailnode.interfaces import Authenticated, Challenge, Refused
from mailnode.smtp import replies
from tests.kit.authenticating import PEER, TROUBLE, Stage

ANN = Authenticated("ann@example.org")
BOUND = evolve(PEER, channel_bindings=(("tls-exporter", b"E" * 32), ("tls-server-end-point", b"S" * 32)))
WRONG = replies.CREDENTIALS_INVALID


def exchange(stage: Stage, *, binds: bool = False, peer: Any = PEER) -> Scram:
    """Begin one."""
    return Scram(stage.ground, peer, binds=binds, offers_binding=bool(peer.channel_bindings))


def with_library(stage: Stage, user: str, password: str, server: Scram, **more: Any) -> Any:
    """Let scramp be the client; give what is said in the end."""
    plus = "-PLUS" if more else ""
    client = ScramClient([f"SCRAM-SHA-256{plus}"], user, password, **more)
    assert stage.say(server, None) == Challenge(b"")
    first = stage.say(server, client.get_client_first().encode())
    if not isinstance(first, Challenge):
        return first
    client.set_server_first(first.octets.decode())
    final = stage.say(server, client.get_client_final().encode())
    if not isinstance(final, Challenge):
        return final
    client.set_server_final(final.octets.decode())
    return stage.say(server, b"")


@pytest.mark.rfc("7677", "3")
@pytest.mark.rfc("5802", "5")
@pytest.mark.parametrize(
    ("user", "password", "expected"),
    [
        ("ann@example.org", "secret", ANN),
        ("bob@example.org", "pässword, two=", Authenticated("bob@example.org")),
        ("ann@example.org", "wrong", WRONG),
        ("nobody@example.org", "secret", WRONG),
        ("not an address", "secret", WRONG),
        ("a,b=c", "secret", WRONG),
        ("old@example.org", "secret", replies.ACCOUNT_DISABLED),
        ("old@example.org", "wrong", WRONG),
    ],
)
def test_a_library_we_did_not_write(user: str, password: str, expected: Any) -> None:
    """It is let in with the right password, and it believes our signature."""
    stage = Stage()
    assert with_library(stage, user, password, exchange(stage)) == expected


@pytest.mark.rfc("5802", "6")
def test_the_channel_is_bound() -> None:
    """The binding that both see lets in; that of another channel does not, nor one that we do not have."""
    stage = Stage()
    for data, expected in ((b"S" * 32, ANN), (b"X" * 32, WRONG)):
        binding = ("tls-server-end-point", data)
        server = exchange(stage, binds=True, peer=BOUND)
        assert with_library(stage, "ann@example.org", "secret", server, channel_binding=binding) == expected
    server = exchange(stage, binds=True, peer=BOUND)
    assert with_library(stage, "ann@example.org", "secret", server, channel_binding=("tls-unique", b"U")) == WRONG


def by_hand(stage: Stage, server: Scram, header: str, bound: bytes = b"", *, nonce: str = "fyko+d2lbbFgONRv9q") -> Any:
    """Be a client that knows ann's password, with this header; give what is said to the proof, or before."""
    bare = f"n=ann@example.org,r={nonce}"
    first = stage.say(server, f"{header}{bare}".encode())
    if not isinstance(first, Challenge):
        return first
    said = first.octets.decode()
    fields = dict(part.split("=", 1) for part in said.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", b"secret", base64.b64decode(fields["s"]), int(fields["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    unproved = f"c={base64.b64encode(header.encode() + bound).decode()},r={fields['r']}"
    signature = hmac.digest(hashlib.sha256(key).digest(), f"{bare},{said},{unproved}".encode(), "sha256")
    proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
    return stage.say(server, f"{unproved},p={base64.b64encode(proof).decode()}".encode())


@pytest.mark.rfc("9266", "3")
def test_the_exporter_of_tls_1_3_is_a_binding() -> None:
    """tls-exporter is bound like the older ones."""
    stage = Stage()
    server = exchange(stage, binds=True, peer=BOUND)
    final = by_hand(stage, server, "p=tls-exporter,,", b"E" * 32)
    assert isinstance(final, Challenge)
    assert final.octets.startswith(b"v=")
    assert stage.say(server, b"") == ANN
    assert by_hand(stage, exchange(stage, binds=True, peer=BOUND), "p=tls-exporter,,", b"F" * 32) == WRONG


@pytest.mark.rfc("5802", "6")
@pytest.mark.parametrize(
    ("header", "binds", "peer", "is_welcome"),
    [
        ("n,,", False, PEER, True),
        ("y,,", False, PEER, True),
        ("n,,", False, BOUND, True),
        ("y,,", False, BOUND, False),
        ("n,,", True, BOUND, False),
        ("p=tls-exporter,,", False, BOUND, False),
        ("n,a=ann@example.org,", False, PEER, True),
        ("n,a=ANN@example.org,", False, PEER, True),
        ("n,a=bob@example.org,", False, PEER, False),
    ],
)
def test_the_header_must_fit(header: str, binds: bool, peer: Any, is_welcome: bool) -> None:
    """Who could bind and was told that we cannot has somebody in between; nobody acts for others."""
    stage = Stage()
    final = by_hand(stage, exchange(stage, binds=binds, peer=peer), header)
    assert isinstance(final, Challenge) == is_welcome
    assert is_welcome or final == WRONG


@pytest.mark.parametrize(
    "first",
    [
        b"", b"n,,", b"n,,n=ann", b"n,,n=ann,r=short", b"n,,m=x,n=ann,r=12345678", b"x,,n=ann,r=12345678",
        b"p=,,n=ann,r=12345678", b"n,b=x,n=ann,r=12345678", b"n,,n=,r=12345678", b"n,,n=a=1,r=12345678",
        b"n,,n=ann,r=1234\x005678", b"\xff" * 20, b"n,,n=ann,r=" + b"x" * 600, b"n,,n=" + b"=2C" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_first_message(first: bytes) -> None:
    """It is refused, and nobody is asked about."""
    with pytest.raises(Refused):
        read_first(first)


@pytest.mark.parametrize(
    "final",
    [b"", b"c=biws", b"c=biws,r=x,p=AAAA", b"c=biws,r=%b,p=!!!", b"c=biws,r=%b,p=A", b"\xff", b"c=biws,r=%b,p=AAAA"],
)
def test_what_is_no_final_message(final: bytes) -> None:
    """A proof of nothing, another nonce, no base64: all the same 535."""
    stage = Stage()
    server = exchange(stage)
    said = stage.say(server, b"n,,n=ann@example.org,r=12345678")
    nonce = said.octets.partition(b",")[0].removeprefix(b"r=")
    assert stage.say(server, final.replace(b"%b", nonce)) == WRONG


def test_names_are_unescaped() -> None:
    """=2C and =3D are a comma and an equals sign (RFC 5802 section 5.1)."""
    read = read_first(b"n,a=b=2Cc,n=a=3D=2Cx,r=12345678,ext=1")
    assert (read.name, read.authorization, read.bare) == ("a=,x", "b,c", "n=a=3D=2Cx,r=12345678,ext=1")


def test_our_signature_must_be_answered_with_nothing() -> None:
    """Whoever says more is not let in."""
    stage = Stage()
    server = exchange(stage)
    assert isinstance(by_hand(stage, server, "n,,"), Challenge)
    assert stage.say(server, b"more") == WRONG


def test_trouble_is_temporary() -> None:
    """When nobody can be asked for the verifier, it is 454."""
    stage = Stage()
    stage.credentials.fails = TROUBLE
    assert stage.say(exchange(stage), b"n,,n=ann@example.org,r=12345678") == replies.AUTH_TROUBLE


def test_unknown_names_have_a_salt_that_stays() -> None:
    """Asking twice does not tell that there is no such account."""
    stage = Stage()

    def salt(name: bytes) -> bytes:
        octets: bytes = stage.say(exchange(stage), b"n,,n=" + name + b",r=12345678").octets
        return octets.partition(b",s=")[2]

    assert salt(b"nobody@example.org") == salt(b"nobody@example.org") != salt(b"eve@example.org")
    assert salt(b"nobody@example.org")[-7:] == salt(b"ann@example.org")[-7:]


def test_a_proof_of_another_length_is_none() -> None:
    """Nothing is cut or filled up."""
    stage = Stage()
    verifier = stage.result(stage.credentials.verifier(stage.ground.account("ann@example.org")))  # type: ignore[arg-type]
    assert not is_proof(verifier, b"", "")
