"""Sessions: the Twisted side of receiving mail over SMTP and LMTP.

A ``Receiver`` (one for each connection) feeds octets to the sans-IO ``smtp.ServerConnection``, answers each event by
asking a ``Reception``, and writes the replies of one read in one write. It knows nothing of routing, spools or
mailboxes. ``ReceiverFactory`` (one for each listener) admits connections, keeps them within their limits and times,
and closes them in order when the node stops.

Rules of this room:

* What can be answered from memory is answered within the same ``dataReceived``. Only what waits (policy, DNS, disk)
  leaves a coroutine running; the machine is then paused, so that commands behind it keep their order.
* A peer's silence is bounded by a deadline, not by a timer for each connection: the factory looks over its sessions
  once a second. A command's deadline is not moved by single octets, and content must keep a least rate, so that a
  trickle cannot hold a session for ever.
* A commit is never cancelled: once the final dot is in, the answer is worked out even when nobody is left to hear it.
"""
