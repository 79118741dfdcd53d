"""A mail server on Twisted with four roles: originator, relay, delivery and gateway (RFC 5321 section 2.3.10).

The one promise: what was answered 250 after the final dot may at worst arrive twice; it is never lost.

Imports go down only; rooms on one line do not know each other (import-linter keeps it)::

    console | testing      the commands, which speak to a running node; the kit for tests of gateways
    service      the process: settings from TOML, node, logs, control socket, twistd maker
    shipped      the gateways that come along, made of nothing but what every author of one has
    roles        reception, originator, relay, gateway: short compositions of what is beneath
    couriers     ways to carry a message one hop: smtp, lmtp, maildir, mbox, terminal
    originate    sending mail from Python, in a program that is no node
    queue | sessions | routing | spool | accounts | authentication | certificates | fronts | gateways | originator | policy
                 pillars: each sees only what is beneath
    interfaces   the seams: typing.Protocols, no logic
    wire         a connection's way out, straight to the kernel while that takes all
    smtp         the protocol, sans-IO: octets in, events out; replies in, octets out
    mail         the nouns: address, envelope, content, reply, outcome, report
"""

__version__ = "0.1.0"
