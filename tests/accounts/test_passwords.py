"""What is kept of passwords, and what it costs to try one."""

import pytest
from argon2 import extract_parameters
from scramp import ScramMechanism

from mailnode.accounts.passwords import ITERATIONS, NOBODY, hashed, matches, verifier_for, verifier_of_nobody


def test_a_hash_fits_its_password_only() -> None:
    """And two hashes of one password differ."""
    one, other = hashed("secret"), hashed("secret")
    assert one != other
    assert one.startswith("$argon2id$")
    assert matches(one, "secret")
    assert not matches(one, "Secret")
    assert not matches("", "secret")
    assert not matches("rubbish", "secret")


def test_nobodys_hash_costs_as_much_as_any() -> None:
    """It has the same parameters, so it takes the same time, and no password fits."""
    assert extract_parameters(NOBODY) == extract_parameters(hashed("x"))
    assert not matches(NOBODY, "")


@pytest.mark.rfc("5802", "3")
@pytest.mark.rfc("7677", "3")
def test_a_verifier_is_what_others_compute() -> None:
    """A library that we did not write derives the same keys from password and salt."""
    made = verifier_for("pässword")
    expected = ScramMechanism("SCRAM-SHA-256").make_auth_info("pässword", made.iterations, made.salt)
    assert (made.salt, made.stored_key, made.server_key, made.iterations) == expected
    assert made.iterations == ITERATIONS >= 4096


def test_nobodys_verifier_is_always_the_same() -> None:
    """A name that is no account gets the same salt each time, other names others, and it looks like a real one."""
    one = verifier_of_nobody(b"key", "a@b.example")
    assert one == verifier_of_nobody(b"key", "a@b.example")
    assert one.salt != verifier_of_nobody(b"key", "c@b.example").salt
    assert one.salt != verifier_of_nobody(b"other", "a@b.example").salt
    assert (len(one.salt), one.iterations) == (len(verifier_for("x").salt), ITERATIONS)
