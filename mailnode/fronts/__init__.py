"""Fronts: who is really there, found out before a session begins.

A connection from a load balancer seems to come from it and not from the client behind it; one over a unix socket comes
from a user of this machine. Both are cleared up here, between the accepted connection and the session: an ``Arrival``
reads what it must (the PROXY header) or looks up what it can (the user's name), and then gives the connection to the
session's protocol as if that had been there from the start. So the session knows nothing of fronts, and a listener
without fronts pays nothing for them. TLS, if the listener has it, begins after that: the header stands before it.

Rules of this room:

* Whom a front may speak for is decided by its address alone, never by what it sends: a header is required from those
  who are listed, and is a bad command from all others (haproxy's specification, section 2: a receiver must not guess).
  Others are received directly: their address is their own, so they can pretend nothing.
* A faulty header closes the connection without a word, and with one line in the log. It is never a session.
* What is waited for is short: a deadline of seconds and a bounded number of octets.
"""
