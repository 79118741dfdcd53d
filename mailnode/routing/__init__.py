"""Where mail goes from here: the table of domains and routes, and the DNS that tells which hosts to try.

Words: a *domain* of the settings is ours, its addresses end here or are mapped here; a *route* of the settings says
where the mail of other domains goes; without one their MX records say it. A *next hop* is the text in a Lane that a
courier turns into *hops* (host, port, addresses) with ``hosts_for``.

Two halves that meet only in settings.py:

* ``router``, ``domains``, ``patterns``, ``terms``, ``resolution``: from an address to a Route, asking nobody but the Directory. No DNS at RCPT:
  whether another domain exists is the queue's question, so that a dead DNS never closes the door.
* ``resolver`` (with ``servers``, ``wire``, ``transport``, ``cache``, ``sharing``, ``system``) and ``exchanges``: from a next hop to hosts.

Rules:

* The router never raises for an address and explains each step (``why``), since ``mailnode explain`` shows the very
  same values that mail goes by.
* What the DNS says is hostile: answers are matched by id, question and source; names, counts, chains and times are bounded.
* Only a DNS answer is ever permanent. Silence, SERVFAIL and nonsense are temporary.
"""
