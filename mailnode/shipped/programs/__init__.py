"""Programs of this machine: mail is piped into one (``pipe``), and what one prints becomes mail (``program``).

A program is an argument list and never a shell's line. It runs in a session, and so in a process group, of its own, with a
small environment and, where the node is root, as another user; a time limit ends the whole group. Its input is written as it
reads, its output is read to the end and only the beginning kept, so that neither side can block or flood the other.

From the bottom: ``identity`` (whose rights), ``processes`` (one run), ``sysexits`` (what an exit status means), ``arguments``
(templates), ``framing`` (where one message of a stream ends), ``shelf`` (what could not be submitted yet); then the two gateways.
"""
