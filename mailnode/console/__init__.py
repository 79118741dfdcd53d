"""The ``mailnode`` command: what an administrator types.

* ``command`` is the entry point and says what subcommands there are; each of the other files holds some of them.
* ``configuration`` finds the configuration; ``link`` finds whom to ask: the running node over its control socket, or
  where none runs, the same commands on a spool that is opened for the moment (``service.alone``).
* ``sendmail`` is the twin of sendmail(1), a command of its own too (``mailnode-sendmail``): it starts quickly, needs no rights and
  imports neither click nor Twisted to send a message.
* ``printing`` shows answers: JSON with ``--json``, a table on a terminal, plain columns elsewhere.

Rules: answers go to standard output, everything else to standard error, one clear line a fault; the exit code is one
of sysexits.h (64 usage, 65 bad data, 67 no such thing, 69 unavailable, 75 try again, 77 not permitted, 78
configuration), but ``check`` exits 1 for faults, so that it reads well in scripts. A list costs memory for one entry,
not for all.
"""
