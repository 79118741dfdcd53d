"""Customers: whose mail an account may call for, and its password."""

from pathlib import Path

import pytest

from mailnode.roles.customers import CustomerSettings, read_customers, read_password


def test_the_table(tmp_path: Path) -> None:
    """Names are the same in any case of their letters; whoever is not in it has nothing."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"open sesame\r\nnot this\n")
    customers = read_customers(
        [CustomerSettings("Branch", ("Branch.Example", "b.example"), str(secret)), CustomerSettings("x@y.example")]
    )
    assert customers.domains("branch") == {"branch.example", "b.example"}
    assert customers.domains("X@y.example") == frozenset()
    assert customers.domains("nobody") == frozenset()
    assert customers.secret("BRANCH") == ("Branch", b"open sesame")
    assert customers.secret("x@y.example") is None
    assert customers.has_secrets
    assert "sesame" not in repr(customers)


def test_a_file_without_a_password(tmp_path: Path) -> None:
    """It is said, and the node does not start with an empty one."""
    (tmp_path / "secret").write_bytes(b"\n")
    with pytest.raises(ValueError, match="no password"):
        read_password(str(tmp_path / "secret"))
    with pytest.raises(OSError):
        read_customers([CustomerSettings("a", (), str(tmp_path / "none"))])
