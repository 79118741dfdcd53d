"""What we answer to the challenges of each mechanism; the other side of SCRAM is scramp's server."""

import pytest
from scramp import ScramMechanism

from mailnode.couriers.smtp_mechanisms import Login, Mechanism, Plain, Scram, choose

BINDING = ("tls-server-end-point", b"\7" * 32)
"""Scramp knows no tls-exporter; to SCRAM the type is a word."""


def _exchange(mechanism: Mechanism, password: str, binding: tuple[str, bytes] | None = None) -> None:
    """Let scramp's server have the other side."""
    scram = ScramMechanism(mechanism.name)
    info = scram.make_auth_info(password, iteration_count=4096)
    server = scram.make_server(lambda _: info, channel_binding=binding)
    first = mechanism.first()
    assert first is not None
    server.set_client_first(first.decode())
    server.set_client_final(mechanism.respond(server.get_server_first().encode()).decode())
    assert mechanism.respond(server.get_server_final().encode()) == b""


@pytest.mark.rfc("7677", "3")
@pytest.mark.parametrize(("name", "binding"), [("SCRAM-SHA-256", None), ("SCRAM-SHA-256-PLUS", BINDING)])
def test_scram(name: str, binding: tuple[str, bytes] | None) -> None:
    """The server is convinced of us, and we of it, with and without channel binding."""
    mechanism = Scram(name, "bob", "pässword", binding)
    assert not mechanism.is_satisfied
    _exchange(mechanism, "pässword", binding)
    assert mechanism.is_satisfied


@pytest.mark.rfc("5802", "5")
def test_scram_with_a_server_that_does_not_know_the_password() -> None:
    """A signature that is not the right one ends the exchange, unsatisfied."""
    mechanism = Scram("SCRAM-SHA-256", "bob", "secret", None)
    first = mechanism.first()
    assert first is not None
    nonce = first.decode().rpartition("r=")[2]
    mechanism.respond(f"r={nonce}abc,s=c2FsdHNhbHRzYWx0,i=4096".encode())
    with pytest.raises(ValueError, match="within SCRAM-SHA-256"):
        mechanism.respond(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert not mechanism.is_satisfied


@pytest.mark.parametrize("count", ["1000001", "99999999999999999999"])
def test_nobody_makes_us_work_for_hours(count: str) -> None:
    """A server that asks for too many iterations gets none."""
    mechanism = Scram("SCRAM-SHA-256", "bob", "secret", None)
    first = mechanism.first()
    assert first is not None
    nonce = first.decode().rpartition("r=")[2]
    with pytest.raises(ValueError, match="iterations are asked for"):
        mechanism.respond(f"r={nonce}abc,s=c2FsdHNhbHRzYWx0,i={count}".encode())


@pytest.mark.parametrize("challenge", [b"", b"\xff", b"r=other,s=c2FsdA==,i=4096", b"nonsense"])
def test_scram_with_a_server_that_makes_no_sense(challenge: bytes) -> None:
    """Nothing of it is an error of ours."""
    mechanism = Scram("SCRAM-SHA-256", "bob", "secret", None)
    mechanism.first()
    with pytest.raises(ValueError, match="SCRAM"):
        mechanism.respond(challenge)


@pytest.mark.rfc("7677", "3")
def test_the_example_of_the_rfc() -> None:
    """Octet for octet."""
    mechanism = Scram("SCRAM-SHA-256", "user", "pencil", None, "rOprNGfwEbeRWgbNEkqO")
    assert mechanism.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert mechanism.respond(b"r=" + nonce + b",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096") == (
        b"c=biws,r=" + nonce + b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert mechanism.respond(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == b""


@pytest.mark.rfc("5802", "6")
def test_who_could_bind_says_so() -> None:
    """Then a server that was robbed of its -PLUS on the way notices."""
    assert str(Scram("SCRAM-SHA-256", "a,b=c", "x", BINDING, "abc").first()) == "b'y,,n=a=2Cb=3Dc,r=abc'"
    bound = Scram("SCRAM-SHA-256-PLUS", "u", "x", ("tls-exporter", b"1"), "abc")
    assert bound.first() == b"p=tls-exporter,,n=u,r=abc"


@pytest.mark.rfc("4616", "2")
def test_plain() -> None:
    """Name and password stand between NULs; a challenge that says something is not answered."""
    plain = Plain("bob", "secret")
    assert plain.first() == b"\0bob\0secret"
    assert plain.respond(b"") == b"\0bob\0secret"
    with pytest.raises(ValueError, match="PLAIN"):
        plain.respond(b"x")


def test_login() -> None:
    """First the name, then the password, then nothing more."""
    login = Login("bob", "secret")
    assert login.first() is None
    assert [login.respond(b"User Name"), login.respond(b"Password")] == [b"bob", b"secret"]
    with pytest.raises(ValueError, match="LOGIN"):
        login.respond(b"Shoe size")


@pytest.mark.parametrize(
    ("offered", "binding", "name"),
    [
        (("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), BINDING, "SCRAM-SHA-256-PLUS"),
        (("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), None, "SCRAM-SHA-256"),
        (("LOGIN", "PLAIN"), None, "PLAIN"),
        (("LOGIN", "CRAM-MD5"), None, "LOGIN"),
        (("SCRAM-SHA-256-PLUS",), None, None),
        ((), None, None),
    ],
)
def test_the_best_is_chosen(offered: tuple[str, ...], binding: tuple[str, bytes] | None, name: str | None) -> None:
    """Who need not show its password does not."""
    chosen = choose(offered, "bob", "secret", binding)
    assert (chosen and chosen.name) == name
