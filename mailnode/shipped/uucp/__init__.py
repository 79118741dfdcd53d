"""Mail without a connection: batches of SMTP in files (RFC 2442), and UUCP with its bang paths (RFC 976).

A *batch* is what a client would have said in one session, written down: EHLO or HELO, then MAIL, RCPT, DATA and content for each
message, then QUIT. Whoever reads it has nobody to answer, so what is refused goes back to the sender as a DSN, and what
cannot be read at all is laid aside for a person. Two kinds of gateways use the room:

* ``bsmtp``: files in folders. Outgoing messages are kept as parts until a batch is closed; a batch has its name once it is
  durable and whole. Incoming files are taken once they have their name, and removed once all they hold is the node's.
* ``uucp``: outgoing mail is handed to uux(1), as ``rmail`` or ``rbsmtp`` for the neighbour. Incoming mail comes by the commands
  ``mailnode-rmail`` and ``mailnode-rbsmtp``, which uuxqt runs.

Nothing is lost by a crash: what is outgoing counts as relayed once its part is durable, what is incoming has a key made of
its file's name, its number in it and what it says. A message stands in one batch only. Twice may come the one message that a kill falls
upon between two notes: taken in and its key not yet written down, or handed to uux, which knows no keys, and that not yet written down.

From the bottom: ``bang`` and ``from_line`` (pure), ``batch`` (writing), ``batch_reading`` (reading; our SMTP machine judges the
commands), ``parts`` and ``inbox`` (files), ``returning`` (DSNs), then the two gateways.
"""
