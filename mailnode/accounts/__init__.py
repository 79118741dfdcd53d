"""Accounts: who has a mailbox here.

An account is an address that was added with ``mailnode account add``; routing asks for it at RCPT, so that mail for
nobody is refused at the door. The local part is folded to lower case and the domain to its key, as the mailbox's folder
is: ``Ann@EXAMPLE.org`` is ann. Aliases and subaddresses are routing's; passwords will stand here too.

``SqliteDirectory`` keeps accounts in a file that other processes may write at any time; ``MemoryDirectory`` is its twin.
"""
