"""Tests of what we sign."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.gateways.tokens import Signer, key_of, load_key

SIGNER = Signer(b"k" * 32)


@given(st.text(min_size=1, max_size=40, alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_only_for_its_purpose_and_key(value: str) -> None:
    """Lower case, letters and digits, and nobody else's."""
    token = SIGNER.sealed("reply", value)
    assert token == token.lower()
    assert SIGNER.opened("reply", token) == value
    assert SIGNER.opened("hop", token) is None
    assert Signer(b"x" * 32).opened("reply", token) is None


@pytest.mark.parametrize("token", ["", ".", "x", "x.y", "é.y", "mfra.aaaaaaaaaaaaaaaa"])
def test_what_is_not_ours_is_nothing(token: str) -> None:
    """However it looks."""
    assert SIGNER.opened("reply", token) is None


def test_the_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    """Nobody else may read it, and it stays."""
    path = tmp_path / "gateways.key"
    key = load_key(path)
    assert load_key(path) == key
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(b"short")
    with pytest.raises(OSError, match="too short"):
        load_key(path)


def test_an_idempotency_key_depends_on_all_its_parts() -> None:
    """And on nothing else."""
    assert key_of("a", "b") == key_of("a", "b") != key_of("ab", "")
