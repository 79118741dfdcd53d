r"""An HTTP POST becomes mail: the gateway ``http-inject``, for programs that speak HTTP and not SMTP.

A configuration::

    [gateway.post]
    kind = "http-inject"
    endpoint = "tcp:8080:interface=127.0.0.1"     # a reverse proxy stands before it; see below for TLS of its own
    proxied = true
    tokens = "/etc/mailnode/post.tokens"
    max_size = "10 MiB"

    [gateway.post.source]
    relay = true                                  # else only to the node's own domains
    rate = "50/s"                                 # of all together
    rate_per_sender = "30/m"                      # from one sender to one recipient

The file of tokens has a line for each client: its name, its token or the SHA-256 of it, what it may send from and to, and how
much. It is read again when it changes. It should be readable by nobody but the node::

    # printf %s "$TOKEN" | sha256sum       (and a token: openssl rand -hex 32)
    shop     sha256:5e88...42d8                    from=@shop.example,ann@example.org  to=*             rate=600/h
    monitor  plain:0f3c41a6d1b24e5f8a7b6c5d4e3f2a1b from=alerts@example.org             to=@example.org

``from`` and ``to`` hold addresses, ``@domain``, ``@*.domain`` for what is beneath it, ``*`` for any, and ``from`` also ``<>`` for the
null reverse-path. ``from`` must be given and counts for the envelope and for the fields From and Sender alike; ``to`` is any unless
given (and never more than ``relay`` allows); without ``rate`` only the gateway's own counts.

What a program does::

    curl -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: order-4711" --json '{"from": {"address": "orders@shop.example",
        "name": "The shop"}, "to": ["ann@example.org"], "subject": "Your order", "text": "It is on its way."}' http://127.0.0.1:8080/messages
    curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: message/rfc822" --data-binary @mail.eml \
        "http://127.0.0.1:8080/messages?from=orders@shop.example&to=ann@example.org&to=bob@example.org"

The answer is 202 and the queue id, once the message is durable; whoever was refused while others were taken stands in it too.
Every other answer is ``application/problem+json`` (RFC 9457) with the reply of SMTP where there is one. 429 and 503 are to be tried
again, after ``Retry-After``; other 4xx not.

**Idempotency-Key**: the same key of the same client with the same request gives the first answer again for a week
(``Idempotent-Replayed: true``); with another request 422; while the first is being worked on 409. Only a node that dies within
the few milliseconds between the message and its key may take it twice, and then with the same Message-ID.

``traceparent`` (W3C Trace Context) is taken over, and ``X-Mailnode-Mark``, which a webhook was given, ends loops.

``GET /openapi.json`` describes it all (also in etc/gateways/http-inject.openapi.json); ``GET /healthz`` is 200 while mail is taken.
No CORS: tokens do not belong into web pages.

**TLS**: by a reverse proxy, or an endpoint such as ``ssl:8443:privateKey=/etc/mailnode/key.pem:certKey=/etc/mailnode/cert.pem``. A token
over plain HTTP on anything but the loopback is told of in the log.

**Bounds**: the token is looked at before the body is read; a body that is too large is answered before it is read; a request must
come within ``timeout``, its header within 15 s; ``max_connections``, and a part of them for one address. Large bodies wait in files.

Inside, from the bottom: ``problems``, ``clients``; ``values``; ``fields``, ``raw``; ``openapi``, ``channel``; ``answering``; ``gateway``.
"""
