"""A mail server on Twisted with four roles: originator, relay, delivery and gateway (RFC 5321 section 2.3.10).

The one promise: what was answered 250 after the final dot may at worst arrive twice; it is never lost.

Imports go down only; rooms on one line do not know each other (import-linter keeps it)::

    console      the ``mailnode`` command; speaks to a running node's control socket
    service      the process: settings from TOML, node, logs, control socket, twistd maker
    roles        reception, originator, relay, delivery: short compositions of what is beneath
    couriers     ways to carry a message one hop: smtp, lmtp, maildir, mbox
    queue | sessions | routing | spool | accounts      pillars: each sees only what is beneath
    interfaces   the seams: typing.Protocols, no logic
    wire         a connection's way out, straight to the kernel while that takes all
    smtp         the protocol, sans-IO: octets in, events out; replies in, octets out
    mail         the nouns: address, envelope, content, reply, outcome, report
"""

__version__ = "0.1.0"
