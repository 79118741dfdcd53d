"""Couriers carry a message one hop: to the next host, or into a mailbox.

Each implements interfaces.Courier: one try, an outcome for every recipient, no retry and no memory of earlier tries (the
queue has those). What the next hop says is a value; an exception is a bug. After Delivered the message is durable, after
Relayed it is the next hop's. Couriers do not know one another, nor who calls them: reception, before the 250 of a local
message, or the queue, later.
"""
