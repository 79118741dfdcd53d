"""Text messages both ways, by SMPP 3.4 over one transceiver bind; receipts of the network become DSNs.

Configuration::

    [gateway.sms]
    kind = "sms"
    endpoint = "tls:smsc.example.net:3550"
    system_id = "mailnode"
    password_file = "/etc/mailnode/sms.password"
    number = "+4915770001"
    to = "office@example.org"

    [gateway.sms.addresses]
    map = ["{number}@sms.example.org <-> {number}"]

    [[domain]]
    name = "sms.example.org"
    courier = "sms"

**Out.** Mail to ``4917012345@sms.example.org`` goes to that number, as the sender's own words: quotations and signature are
left out. It is written in the GSM alphabet where that holds it, else in UCS-2, and cut into ``max_parts`` parts at most
(153 or 67 characters each; 160 or 70 when one is enough), with a mark that says how much is missing. A part the SMSC has
accepted is remembered, so a later attempt goes on behind it. Only what was on its way when the connection broke may come
twice: SMPP 3.4 has no key for that.

**Receipts.** The outcome is Relayed, and the sender who asked (``NOTIFY=SUCCESS``) hears from the network: delivered when
every part was, failed as soon as one has.

**In.** A text message is mail from ``number@sms.example.org``: to whoever wrote to that number last, within that thread
(``answers = false`` turns that off), else to the address that ``numbers`` gives for the number it was sent to, else to
``to``. It is answered once it is durable; what a broken connection makes the SMSC send again within ``redelivery`` is
known again by its number and octets. Parts are kept until all are here; what is not complete after ``parts_wait`` comes
with its gaps marked.

Inside this room, from the bottom: ``wire`` (frames), ``pdu`` (bodies), ``statuses``, ``alphabet``, ``words``; ``segments``,
``reports``; ``session`` (one bind), ``link`` (keeps one); ``receipts``, ``outgoing``, ``assembly``, ``incoming``; ``settings``;
``gateway``. All up to ``reports`` knows no network. The codec is our own: those on the index are either no longer kept or
a client as a whole, and none bounds what it reads.

Left out: separate transmitter and receiver binds, outbind, query_sm, replace_sm, cancel_sm, submit_multi, and GSM's national
shift tables.
"""
