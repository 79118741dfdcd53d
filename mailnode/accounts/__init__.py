"""Accounts: who has a mailbox here.

An account is an address that was added with ``mailnode account add``; routing asks for it at RCPT, so that mail for
nobody is refused at the door. The local part is folded to lower case and the domain to its key, as the mailbox's folder
is: ``Ann@EXAMPLE.org`` is ann. Aliases and subaddresses are routing's.

``SqliteDirectory`` keeps accounts in a file that other processes may write at any time; ``MemoryDirectory`` is its twin.
``AccountCredentials`` checks their passwords. Of a password two things are kept, neither of which is the password: an
argon2id hash for mechanisms that send it, and a verifier for SCRAM, that do not. An account without a password has a
mailbox, and nobody can log in.
"""
