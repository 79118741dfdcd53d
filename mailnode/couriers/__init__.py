"""Couriers carry a message one hop: to the next host, or into a mailbox.

Each implements interfaces.Courier: one try, an outcome for every recipient, no retry and no memory of earlier tries (the
queue has those). What the next hop says is a value; an exception is a bug. After Delivered the message is durable, after
Relayed it is the next hop's. Couriers do not know one another, nor who calls them: reception, before the 250 of a local
message, or the queue, later.

``smtp`` and ``lmtp`` are one courier in two dialects. From the top down: ``smtp`` (which host next, which session),
``smtp_carriage`` (what was heard for whom), ``smtp_prepare`` (the message fitted to the peer), ``smtp_reaching`` and
``smtp_racing`` (connections), ``smtp_idle`` (kept sessions), ``smtp_session`` (one connection around
``smtp.ClientConnection``), ``smtp_feeding``, ``smtp_deadline`` (its content, its time).
"""
