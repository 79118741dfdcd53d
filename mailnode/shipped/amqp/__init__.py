"""AMQP 0-9-1 (RabbitMQ), both ways: mail is published to an exchange, and a queue's messages become mail.

Needs pika: ``pip install 'mailnode[amqp]'``. An example, complete but for the domain's other settings::

    [gateway.bus]
    kind = "amqp"
    url = "amqps://broker.example.org/mail"     # the path is the virtual host; amqp: without TLS
    credentials = "/etc/mailnode/bus.secret"    # one line, user:password
    authorities = "/etc/mailnode/bus-ca.pem"    # of the broker's certificate; empty: the system's
    exchange = "mail"
    routing_key = "mail.{domain}.{local_part}"
    consume = "to-mail"                         # empty: nothing comes in

    [[domain]]
    name = "bus.example.org"
    courier = "bus"

**Out.** The body is the JSON of ``mailnode.shipped.forms``, or with ``form = "raw"`` the message as it is. It is persistent, and
``message_id`` is the idempotency key. Headers: ``traceparent``, ``x-mailnode-queue-id``, ``x-mailnode-mark``,
``x-mailnode-from``, ``x-mailnode-to`` (a list). Where the routing key tells recipients apart each has a message of its own, else all share
one. It counts as delivered when the broker has confirmed it, which for a durable queue means it is on the disk.

=========================================================  =============================================================
what the broker does                                       what it means
=========================================================  =============================================================
confirms                                                   Delivered
confirms, but returns it: no queue is bound to the key     Failed 5.1.1, or with ``unroutable = "delayed"`` Delayed 4.4.4
refuses it (nack: a queue is full)                         Delayed 4.3.1
has no such exchange (404)                                 Delayed 4.3.5
forbids it (403), or takes no such credentials             Delayed 4.7.0, 4.7.8
says that it is too large (406)                            Failed 5.3.4, when nothing else was on its way
is not there, goes away before it confirms, or is silent   Delayed 4.4.1, unreachable: the circuit breaker counts it
=========================================================  =============================================================

What was published and not yet confirmed when the connection broke is published again, with the same ``message_id``.

**In.** ``content_type`` says which of the two forms it is; ``x-mailnode-from`` and ``x-mailnode-to`` are the envelope of a raw message.
It is acknowledged when the node has it durably, rejected without requeue when it could never be mail (the queue's dead
letter exchange keeps it; a queue that has none loses it, so give it one), and returned to the queue after a pause when
the node cannot take it now. ``message_id`` is the key by which a redelivery is known; without one a message may come twice.

Exchanges and queues are the broker's business: nothing is declared here. Publishing and consuming have a connection each, since a broker
short of memory stops reading from those that publish. ``gateway`` is the class; ``connecting``, ``publishing`` and
``consuming`` import pika and are themselves imported when first needed.
"""
