"""The roles of a mail node (RFC 5321 section 2.3.10): short compositions of the rooms beneath.

originator   takes new mail from people and programs and puts it into the mail system
relay        stores a message and carries it one hop nearer
delivery     knows the mailboxes and puts the message into one
gateway      bridges mail and another message system
reception    the door that all of them share: what is promised with 250, and on which conditions

A role decides and wires; it does no I/O of its own and parses nothing. The roles of one node share its spool, queue,
router and directory. Any mix of them runs in one process.
"""
