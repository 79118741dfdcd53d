r"""Mail <-> XMPP messages, both ways, as a component of an XMPP server (XEP-0114) or as one account of it (RFC 6120).

A component is the better way: it is a whole domain of the XMPP world, say ``mail.example.org``, in which every mail address has a JID,
written with XEP-0106: ``ann@home.example`` is ``ann\40home.example@mail.example.org`` there (``ann%home.example@...`` is read too). So
people write to mail addresses as to anybody else, and see who writes to them::

    [gateway.xmpp]
    kind = "xmpp"
    server = "tcp:127.0.0.1:5347"     # a client endpoint of Twisted; the component's port of the server
    jid = "mail.example.org"          # with a local part ("bot@example.org") it is an account, on the server's client port
    password = "secret"
    # limit = 10000                   # characters of a body; more are cut, with a mark that says how many
    # attachments = "drop"            # drop | link | reject; link wants files_folder and files_url
    # people = ["example.org"]        # who may write first: domains and JIDs; empty: everybody

    [gateway.xmpp.addresses]
    map = ["{user}.{server}@xmpp.example.org <-> {user}@{server}"]

    [gateway.xmpp.source]
    relay = true                      # answers may go to senders of foreign domains; then name your "people"

    [[domain]]
    name = "xmpp.example.org"
    courier = "xmpp"
    accounts = "any"

As an account there is one JID for all mail: the body says who wrote, and answers find their way by thread, or go to the last one who
wrote to that person; ``to`` names who gets what answers nothing. TLS (STARTTLS, verified) and SASL are those of
``twisted.words``: PLAIN within TLS, or DIGEST-MD5.

**Outcomes.** XMPP acknowledges nothing, but a server handles the stanzas between two parties in order (RFC 6120 section 10.1).
So each message is followed by a ping to the same JID: once that is answered, with whatever it be, the message's own error has come or
there is none. Then it is Relayed; with an error it is what ``errors`` says; when the stream breaks before, Delayed (and sent again
with the same id, and the same origin-id of XEP-0359). No answer within ``answer_within``: Relayed, and a later error or a long
silence tells the sender. A receipt (XEP-0184) is asked for always and makes Delivered of it; it is waited for only where the sender
wants to know (NOTIFY=SUCCESS) and this person's program is known to send some.

**Conversations.** ``<thread/>`` and the pair of JIDs stand for a thread of mail: what is said in one continues the other
(``conversations``). A message that is taken is durable before its receipt is sent; one that is not taken is answered with an
error stanza.

**Hostile input.** No DTD, no comment, no entity; a stanza has bounds in octets, elements and depth (``stream``). Errors, chat
states, carbons, group chats and empty bodies make no mail; what comes late from offline storage does, since nobody else has read it.

Files, from the bottom: ``jids``, ``stanzas``; ``errors``, ``answers``, ``stream``, ``conversations``, ``files``; ``link``; ``outgoing``,
``incoming``; ``gateway``.
"""
