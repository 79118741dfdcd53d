"""Redis streams, both ways: mail is added to a stream, and what a consumer group reads from a stream becomes mail.

Needs hiredis: ``pip install 'mailnode[redis]'``. An example, complete but for the domain's other settings::

    [gateway.stream]
    kind = "redis"
    url = "rediss://redis.example.org/0"          # the path is the database; redis: without TLS; unix:///run/redis.sock
    credentials = "/etc/mailnode/redis.secret"    # one line, user:password; with no user ":password"
    stream = "mail:{domain}"
    consume = "to-mail"                           # empty: nothing comes in

    [[domain]]
    name = "stream.example.org"
    courier = "stream"

**Out.** An entry has ``message_id`` (the idempotency key), ``content_type``, ``body`` (the JSON of ``mailnode.shipped.forms``, or with
``form = "raw"`` the message as it is), ``traceparent``, ``x-mailnode-queue-id``, ``x-mailnode-mark``, ``x-mailnode-from`` and
``x-mailnode-to``. Redis itself remembers the key for ``once`` in the same step that adds the entry, so a try whose answer was lost does
not add a second one. Where the stream's name tells recipients apart each has an entry of its own, else all share one.

An entry is as durable as the server is told to be: with ``appendonly yes`` and ``appendfsync always`` it is on the disk
before the answer; with Redis's own defaults the last seconds may be lost.

===================================================  ========================================================
what Redis says                                      what it means
===================================================  ========================================================
an id                                                Delivered
WRONGPASS, NOAUTH, NOPERM                            Delayed 4.7.8, 4.7.0: the operator can mend it
OOM, MISCONF                                         Delayed 4.3.1
WRONGTYPE: the name is taken by something else       Delayed 4.3.5
LOADING, BUSY, MASTERDOWN, READONLY, TRYAGAIN        Delayed 4.3.2, unreachable
anything else                                        Delayed 4.3.0
it is not there, goes away or is silent              Delayed 4.4.1, unreachable: the circuit breaker counts it
===================================================  ========================================================

**In.** An entry has ``body`` as above, or is itself the message: ``XADD to-mail * from a@b to c@d subject Hi text Hello``. It is
acknowledged when the node has it durably; what could never be mail is added to the stream ``dead`` and acknowledged in one step. What the
node cannot take now stays pending and is tried again after a pause, and so is, after ``idle``, what a dead consumer of the
same group left. The key is ``message_id`` or else the entry's own id, so that an entry that comes again is not mail again.

Why Redis streams and not MQTT: consumer groups have all that durable mail needs, a pending list that survives both sides, claims of
what others left, and a key that makes adding harmless. Why hiredis and not a whole client: the clients are blocking or
asyncio's, and the one for Twisted guesses types of what it reads and keeps its own idea of reconnecting, on the
reactor that is global. A parser and a queue of Deferreds are all that streams need.
"""
