"""The roles of a mail node (RFC 5321 section 2.3.10): short compositions of the rooms beneath.

originator   takes new mail from people and programs and puts it into the mail system
relay        stores a message and carries it one hop nearer
delivery     puts the message into a mailbox: the couriers ``maildir`` and ``mbox``, asked by reception before its 250
gateway      bridges mail and another message system
reception    the door that all of them share: what is promised with 250, and on which conditions

* The door: ``reception`` opens a ``transaction`` in the ``house`` (what each transaction needs of the node). ``collecting``
  takes the content (``allowance``: in how much memory), ``keeping`` makes entries of the spool of it at the final dot,
  ``forwarding`` and ``literals`` know two ways that addresses go on, ``asking`` answers VRFY and EXPN, ``sending`` is for people's
  terminals, ``verbose`` tells how each recipient fared.
* ``originator`` is what a submission listener has around that door; ``originator_*`` are its parts.
* ``relay`` says what becomes of a recipient after an attempt and who is told, ``relay_wishes`` what BY means then. ``unrouted``
  and ``returning`` are couriers for what has no next hop: reports that wait for a way, mail that goes back at once.
* ``gateway`` is the courier around a gateway's ``deliver``, ``gateway_node`` the node as a gateway sees it,
  ``gateway_receipts`` what is confirmed later.
* Mail that is called for: ``queue_start`` (ETRN), ``on_demand`` and its ``customers`` (ATRN), and ``fetching``, which is the
  customer's side.

A role decides and wires. It has no connections of its own (those are the couriers' and sessions'), and what it writes to
disk goes through interfaces.Disk. The roles of one node share its spool, queue, router and directory. Any mix of them runs
in one process.
"""
