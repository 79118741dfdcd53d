"""The TLS policy: modern, in both directions."""

import pytest
from OpenSSL import SSL

from mailnode.certificates.policy import apply_policy


@pytest.mark.rfc("9325", "4.2")
def test_every_cipher_has_forward_secrecy_and_authenticates() -> None:
    """What is offered in TLS 1.2 and 1.3 is AEAD with ephemeral keys, nothing else."""
    context = SSL.Context(SSL.TLS_METHOD)
    apply_policy(context)
    names = SSL.Connection(context, None).get_cipher_list()
    assert len(names) >= 6
    for name in names:
        assert name.startswith(("TLS_", "ECDHE-ECDSA-", "ECDHE-RSA-"))
        assert "GCM" in name or "CHACHA20" in name
