"""The protocol, sans-IO: SMTP and LMTP, the server's side and the client's (RFC 5321, RFC 2033).

Octets in, events out; replies in, octets out. No Twisted, no clock, no await: whoever owns the connection feeds
octets, answers events, writes what it is given, and keeps the time.

The server's floors, each seeing only those above it in this list:

* ``replies`` (what we say), ``faults``, ``events`` (what the peer said), ``xtext``: values
* ``rendering`` (Reply to octets), ``states`` (the lawful order, a table)
* ``extensions`` (one object each), ``offer`` (what one listener's set of them adds up to), ``commands`` (a line to an event)
* ``buffer`` (lines), ``newlines``, ``content`` (DATA), ``chunks`` (BDAT): readers of octets
* ``server``: the only object

The client's floors:

* ``peeroffer`` (what a server offers), ``clientevents`` (what its replies mean): values
* ``replyreader`` (octets to Reply), ``asking`` (MAIL and RCPT with their parameters), ``sending`` (dot-stuffing)
* ``client``: the only object

Rules: a bad peer is an event, never an exception. Every limit is an argument. Nothing the peer sends makes memory
grow beyond what was read at once plus one command line. An event that owes a reply stops the machine until the reply
is given, so that pipelining, slow policy and STARTTLS are right by construction.
"""
