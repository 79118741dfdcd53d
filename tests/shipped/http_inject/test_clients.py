"""Tests of the file of tokens."""

import hashlib

import pytest

from mailnode.gateways.api import parse_mailbox
from mailnode.shipped.http_inject.clients import read_clients

TOKEN = "a-token-that-is-long-enough"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()


def test_a_token_is_known_by_itself_or_its_digest() -> None:
    """Neither is shown."""
    for secret in (f"plain:{TOKEN}", f"sha256:{DIGEST}", f"sha256:{DIGEST.upper()}"):
        clients = read_clients(f"# one\n\n shop {secret} from=*\n")
        found = clients.find(TOKEN)
        assert found is not None
        assert (found.name, clients.has_plain) == ("shop", secret.startswith("plain"))
        assert clients.find(TOKEN + "x") is clients.find("") is clients.find("\udcff") is None
        assert TOKEN not in repr(clients)
        assert DIGEST not in repr(clients)


@pytest.mark.parametrize(
    ("patterns", "address", "fits"),
    [
        ("*", "a@b.example", True),
        ("a@b.example", "A@B.example", True),
        ("a@b.example", "aa@b.example", False),
        ("@b.example", "x@b.example", True),
        ("@b.example", "x@c.b.example", False),
        ("@b.example", "x@xb.example", False),
        ("@*.b.example", "x@c.b.example", True),
        ("@*.b.example", "x@b.example", False),
        ("@*.b.example", "x@xb.example", False),
        ("c@d.example,@b.example", "x@b.example", True),
        ("<>", "x@b.example", False),
    ],
)
def test_patterns(patterns: str, address: str, fits: bool) -> None:
    """Addresses, domains, what is beneath them, and any."""
    (client,) = read_clients(f"c plain:{TOKEN} from={patterns} to={patterns}").known
    assert client.may_send_from(parse_mailbox(address)) is fits
    assert client.may_send_to(parse_mailbox(address)) is fits
    assert client.may_send_from(None) is (patterns == "<>")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("shop", "no token"),
        ("sh/op plain:x from=*", "letters"),
        ("shop plain:short from=*", "24 characters"),
        ("shop sha256:abc from=*", "64 hexadecimal"),
        (f"shop {TOKEN} from=*", "sha256:"),
        (f"shop plain:{TOKEN}", "no from="),
        (f"shop plain:{TOKEN} from=* rate=fast", "expected a rate"),
        (f"shop plain:{TOKEN} from=* form=x", "not form"),
        (f"shop plain:{TOKEN} from=* from=x", "twice"),
        (f"shop plain:{TOKEN} from=nobody", "line 2"),
        (f"first plain:{TOKEN} from=*", "stands there twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, said: str) -> None:
    """And never with the token."""
    with pytest.raises(ValueError, match="line 2") as caught:
        read_clients(f"first plain:{TOKEN} from=*\n{line}\n")
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)
