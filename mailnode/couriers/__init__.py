"""Couriers carry a message one hop: to the next host, or into a mailbox.

Each implements interfaces.Courier: one try, an outcome for every recipient, no retry and no memory of earlier tries (the
queue has those). What the next hop says is a value; an exception is a bug. After Delivered the message is durable, after
Relayed it is the next hop's. Couriers do not know one another, nor who calls them: reception, before the 250 of a local
message, or the queue, later.

``smtp`` and ``lmtp`` are one courier in two dialects. From the top down: ``smtp`` (which host next, which session),
``smtp_carriage`` (what was heard for whom), ``smtp_prepare`` (the message fitted to the peer), ``smtp_reaching`` and
``smtp_racing`` (connections), ``smtp_securing`` (TLS and AUTH before any mail: ``smtp_security``, ``smtp_auth``,
``smtp_mechanisms``, ``smtp_password``), ``smtp_requiring`` (what a message says of TLS), ``smtp_idle`` (kept sessions),
``smtp_session`` (one connection around ``smtp.ClientConnection``), ``smtp_feeding`` (its content), ``smtp_stages`` and
``smtp_deadline`` (what it waits for, and how long).

``maildir`` hands batches to a thread (``maildir_thread``), which writes them (``maildir_writer``; where, what and how much:
``maildir_path``, ``maildir_name``, ``maildir_content``, ``maildir_quota``) and makes them durable through ``maildir_journal``, where
the whole story of crashes stands. Beneath the journal: ``maildir_checkpoint`` and ``maildir_recovery`` (mailboxes made
durable, or good again), ``maildir_pool``, ``maildir_segment`` and ``maildir_record`` (which files, and what is in them),
``maildir_journal_folder``, ``maildir_syncfs``. ``mbox`` appends and syncs by itself.

``terminal`` writes onto the terminals of users who are logged in (``terminal_logins``: who and where; ``terminal_line``: one
terminal; ``terminal_text``: what may be shown there). It is the reception's only: nothing of it waits in a queue.
"""
