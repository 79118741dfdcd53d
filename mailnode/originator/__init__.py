"""The originator: how programs on this machine put new mail into the mail system, with a node or without one.

A ``Draft`` is a message as its author left it: addresses as they were typed, a header that may be incomplete, a few wishes
for notifications. It comes from the sendmail twin, from ``mailnode send`` or from a call in Python, and goes one of three ways:

* within the node's process through ``Originator`` (``within``), which is a client of the node's ``Reception`` like a session is;
* from any other process over the node's ``submit`` socket (``submitting``): SMTP to a listener of the service submission;
* where no node answers, into the ``maildrop`` folder, from which the node takes it when it runs again (``maildrop``).

``handing`` tries the second and then the third. Drafts are made fit to travel in one place (``draft``), whichever way they go.

Who may write to the maildrop is every user of the machine, and what lies there is hostile: nobody but the owner of the
folder can list it (mode 3733), names cannot be guessed, a file belongs to who wrote it and that is who the trace field
names, and everything in it is checked as if it came from the network. The group of the folder is the node's own, and files
inherit it, so that a node that has given up root can read what others have left for it. A file gets its name once it is
durable: half a message has none that anybody looks for.

The socket and the folder are in ``public/`` within the data folder (``place``), the only part of it that others may enter.

This room is read by every ``sendmail`` that cron starts: nothing here but ``within`` needs Twisted.
"""
