"""The process: from a configuration file to a tree of running services, and back to nothing in good order.

* ``settings`` puts the rooms' own settings classes together; ``config`` reads TOML into them (``structuring``), ``checks`` looks
  at what concerns more than one of them (``auth_checks``, ``tls_faults`` and ``outgoing_faults`` are its chapters), ``faults`` is
  the report. Only this room knows that there is a file (``source``; without one, the ``private`` node).
* ``composition`` puts disk threads, spool, queue, couriers and reception together on a ``ground``, and what comes of it is a
  ``works``. ``couriers`` says which of them there are, ``reception`` who is let in and where mail goes. These are the places
  where rooms are named beside each other; the rooms themselves meet only in the seams. ``current`` and ``late`` let parts be
  exchanged under way or made when they are needed, ``variants`` has a courier for each set of terms, ``sharing`` divides what
  bounds the node between its processes.
* ``station`` starts, changes and stops what is composed; ``doors`` are its listeners, ``folder`` its data. ``node`` is the
  main process: it binds the ports, reads the configuration again (``reload``) and answers commands. What a listener offers
  is put together from its settings: ``offering``, ``authorities``, ``certificates``, ``fronts``, ``classic``, ``remote_queue``;
  ``fetching`` calls the providers.
* With ``[node] workers`` above 1, ``crew`` starts the further processes (``worker``), hands them their listening sockets
  (``sockets``) and tells them what changes (``orders``). Each has its own queue, couriers and threads; they meet in the
  data folder, where leases and journals bear the name of the process. The main process works as the others do.
* ``maker`` and the plugin in ``twisted/plugins`` are what twistd sees.
* ``control`` answers the ``mailnode`` command over a unix socket, ``alone`` where no node runs; ``commands`` (with
  ``account_commands`` and ``explanation``) does what is asked in both cases, ``asking`` is how it is given and how it fails.
* ``local`` is the door for programs on this machine: their socket, and with ``pickup`` their maildrop, both in the part of the
  data folder that is open to all (``meeting``), and ``patience`` bounds what one user may hand over. ``whereabouts`` finds
  that folder for programs that read no more of a configuration.
* ``gateways`` finds what ``[gateway.NAME]`` names and checks it, ``gateway_station`` runs it, ``blocking`` names one that holds
  the reactor up. A node without gateways imports none of them.
* ``logs`` writes events, ``history`` keeps those that belong to a message.
* What the process asks of its system: threads (``disk``), open files (``limits``), a clock that is set back (``steps``),
  and how often the interpreter looks for garbage (``cycles``).

Rules:

* Ports are bound in ``privilegedStartService``, before twistd gives up root; files are made after it, so that they
  belong to the user who will need them.
* Everything started is stopped in the opposite order. What has its final dot is finished, all else hears 421.
* Start-up is quick (the greeting comes within half a second), so what only a configuration with faults, an old
  message or a curious administrator needs is imported when it is needed.
"""
