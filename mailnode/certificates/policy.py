"""Which TLS is spoken here, in both directions: versions, ciphers, options (RFC 8996, RFC 9325).

TLS 1.2 is the floor. Of its ciphers only those are left that have forward secrecy and authenticate what they encrypt
(RFC 9325 sections 4.1 and 4.2); TLS 1.3 has no others. Compression is off (CRIME), and so is renegotiation by the peer.
Sessions are not resumed: OpenSSL would keep one ticket key for as long as the process lives, and whoever gets hold of it
could read all that was ever said (RFC 9325 section 3.4); a mail session is long enough to pay for its handshake.
"""

from OpenSSL import SSL

MINIMUM = SSL.TLS1_2_VERSION

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""The ciphers of TLS 1.2, in OpenSSL's names, ours first."""

OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET
"""For both directions."""


def apply_policy(context: SSL.Context) -> None:
    """Hold a context of either direction to the policy."""
    context.set_min_proto_version(MINIMUM)
    context.set_cipher_list(CIPHERS)
    context.set_options(OPTIONS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    # Gives the buffers of idle sessions back: 32 KiB each (OpenSSL, SSL_CTX_set_mode).
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
