"""Mail <-> Matrix, both ways, as an application service of a homeserver (Matrix 1.11, Application Service API and Client-Server API).

Every mail address has a Matrix user of its own: ``ann@example.com`` is ``@mail_ann=40example.com:matrix.example`` there, with a display name.
Mail to ``bob@matrix.example`` comes to ``@bob:matrix.example`` in a direct room with that user; what he says there is mail to Ann. He
may begin such a room himself. Mail to ``room.NAME@matrix.example`` is said in ``#NAME:matrix.example``, which must let our users join.

Configuration::

    [gateway.matrix]
    kind = "matrix"
    homeserver = "http://127.0.0.1:8008"
    server_name = "matrix.example"
    listen = "tcp:8009:interface=127.0.0.1"          # where the homeserver finds us; "ssl:..." for TLS
    as_token_file = "/etc/mailnode/matrix.as"
    hs_token_file = "/etc/mailnode/matrix.hs"

    [gateway.matrix.addresses]
    map = ["room.{name}@matrix.example <-> #{name}:matrix.example", "{user}@matrix.example <-> @{user}:matrix.example"]

    [[domain]]
    name = "matrix.example"
    courier = "matrix"

and the homeserver's registration file, which Synapse names in ``app_service_config_files``::

    id: mail
    url: "http://127.0.0.1:8009"
    as_token: "a long random text"
    hs_token: "another one"
    sender_localpart: mail
    rate_limited: false
    namespaces:
      users: [{exclusive: true, regex: "@mail_.*:matrix.example"}]
      aliases: []
      rooms: []

**Once.** The transaction id of an event we send is the recipient's idempotency key, so a repetition gives back the same event,
as long as the homeserver remembers it (Synapse: half an hour at least); what was answered we remember ourselves for a month. Events that come
in are mail under their event id, for a week, whatever the number of the transaction that brings them (Synapse on SQLite gives the
same numbers again after a restart). Only a direct room whose making was not answered may be made twice.

**Outcomes.** ``errors``: 429 is Delayed for as long as the homeserver says, M_FORBIDDEN and M_NOT_FOUND are Failed, a token that is
not taken is Delayed, for the operator can mend it. A transaction is answered once all mail of it is durable; what is not taken for the
moment makes the homeserver come again; what never will be is told in the room by a notice.

**Threads.** A reply (``m.in_reply_to``) becomes In-Reply-To, and the other way round; in a direct room anything else goes on with the
last mail. In rooms of several people only replies to mail and mentions of our users become mail. Notices, edits and what
our own users say never do: so no two machines talk for ever.

Left out: end-to-end encryption (an encrypted message is answered by a notice), files (their names are told), HTML of mails.

Inside this room, from the bottom: ``names``, ``writing`` (contents of events), ``errors``; ``homeserver`` (its requests), ``rooms``, ``threads``;
``hearing`` (events become mails), ``door`` (what the homeserver asks of us); ``gateway``.
"""
