r'''Gateways: mail becomes something else, something else becomes mail (RFC 5321 section 2.3.10). A page for authors.

A gateway is a class; its fields are its settings. Everything is imported from ``mailnode.gateways.api``::

    """Mail to a number becomes a text message."""

    from attrs import define
    from mailnode.gateways.api import Gateway, http_outcome

    @define
    class Sms(Gateway):
        """Sends by a provider's HTTP interface."""

        url: str                                   # a key of [gateway.NAME]; no default: it must be given
        limit: int = 480

        default_map = ("{number}@sms.example.org <-> {number}",)

        async def deliver(self, message, recipients):
            outcomes = {}
            for one in recipients:
                body = f"{one.address}\n{message.text()[: self.limit]}".encode()
                answer = await self.node.http.request("POST", self.url, headers={"Idempotency-Key": one.key}, body=body)
                outcomes[one] = http_outcome(answer.status)
            return outcomes

It is put to use by the configuration, where ``kind`` is an entry point of the group ``mailnode.gateways``, or
``package.module:Class``, or ``folder/file.py:Class``; ``mailnode check`` says what is wrong with it::

    [gateway.sms]
    kind = "sms.py:Sms"
    url = "https://provider.example/send"

    [[domain]]
    name = "sms.example.org"
    courier = "sms"

**deliver(message, recipients)**. ``recipients`` have ``address`` (what the other side calls them), ``key`` (the idempotency
key: the same on every attempt) and ``mailbox``. ``message`` has ``text()``, ``subject``, ``field(name)``, ``email`` (Python's
EmailMessage), ``attachments``, ``octets()``, ``sender``, ``queue_id``, ``message_id``, ``attempt``, ``traceparent`` and
``mark``. Give back one outcome for all, a mapping of recipients to outcomes, or None when all is well:

=====================================  =========================================================================
``Delivered(text)``                    done
``Relayed(text, receipt_id="...")``    taken over; ``await self.node.receipt(id, Delivered()|Failed(..)|Delayed(..))``
                                       later tells the sender, and so does a silence of ``queue.receipt_silence``
``Delayed(text, status, retry_after)`` stays queued; ``is_unreachable=True``: the other side is down for all
``Failed(text, status)``               bounces; ``"5.1.1"`` nobody there, ``"5.3.4"`` too large, ``"5.6.1"`` not possible
=====================================  =========================================================================

Or raise: ``Trouble(outcome)``; exceptions of connections and time limits are Delayed by themselves; a kind widens the table
with ``troubles = {SomeError: Failed("", "5.1.1")}`` (an empty text: the exception's own words). ``http_outcome(status,
retry_after=...)`` does it for HTTP. Everything else is a bug: delayed, never bounced, logged with its traceback.

**source()** gives an ``IService`` that brings mail in; it runs in one process only, is started once ``start()`` is through,
and tried again when that raises. It calls::

    done = await self.node.submit(Draft(sender, [to], text="...", in_reply_to="<id>"), protocol="XMPP", key="...", mark="...")

Once that returns, the message is durable and the other side may be told so. ``key`` makes a repetition harmless. ``mark`` is
what ``message.mark`` was, where a machine on the other side carries it across and back: that ends loops. (What people answer is a new
message and has none; for those there is a rate.) ``Refused`` is raised when it is not taken
(``.reply.is_transient``: try later), ValueError for an address that is none. Octets may be given in place of a Draft, with
``sender=`` and ``to=``. The sender is ``str(self.node.reply_address(foreign))``: mapped, or signed where the map has nothing.

**self.node**: ``submit``, ``receipt``, ``remember(key, value)`` and ``recall(key)`` (durable, small: the thread of a
conversation), ``reply_address``, ``addresses.foreign(mailbox)`` and ``.mail(foreign)``, ``http``, ``reactor``, ``clock``
(timers, so that tests can turn them), ``disk.run(work)`` for what blocks, ``random``, ``folder``, ``hostname``, ``name``, ``log``.
What outgrows ``remember`` has tables of its own: ``Tables(self.node.folder / "own.db", self.node.disk, "CREATE TABLE IF NOT EXISTS ...")``.

**start() and stop()** are coroutines around both directions: open the connection in ``start`` (it may raise and is tried
again), close it in ``stop``. State goes into fields with ``field(init=False, default=None)``: those are no settings.

**Class attributes**: ``default_map`` (address templates), ``troubles``, ``takes_automatic = True`` (also bounces and machines'
answers), ``reads = "octets"`` (it never asks for the text), ``needs = ("treq (mailnode[gateways])",)`` (checked at start),
``one_process = True`` (one login only), ``fans_out = True`` (what it submits is no flood from outside: copies of a list). A method
``knows(address)`` may say at RCPT, from memory, that there is nobody of that name.

**Addresses**. ``"{user}.{server}@xmpp.example <-> {user}@{server}"``: both ways, one-to-one, what would be ambiguous is escaped as
``=2E``. The first template that fits counts; ``[gateway.NAME.addresses] map`` and ``aliases`` replace and precede them. Who is nobody
on the other side is refused at RCPT. Without any map the mail address itself is used.

**What the node does around it**: durable retry by ``[gateway.NAME.queue]`` (retry, give_up, timeout, concurrency, rate, breaker),
bounces, delay warnings, DSNs, loop limits, a flood guard for sources (``[gateway.NAME.source]``), log and ``mailnode trace``.

**Content**: ``shortened``, ``in_charset``, ``html_to_text``, ``with_attachments(text, files, "drop"|"link"|"pass"|"reject")``,
``selected(email, names)``, ``to_flowed``/``from_flowed``, ``own_words(text)`` (without quotations); the reverse is ``Draft``.

**Tests**: ``mailnode.testing`` (see its docstring): a node in memory, ten lines, milliseconds.

**A gateway that ships** lives in ``mailnode/shipped/NAME.py`` (or a folder), is registered under
``[project.entry-points."mailnode.gateways"]`` in pyproject, imports only ``mailnode.gateways.api`` and its own library (lazily,
named in ``needs``, an extra in pyproject), and has ``tests/shipped/test_NAME.py``. ``mailnode/shipped/webhook.py`` is the model.

Inside this room, from the bottom: ``outcomes``, ``settings``, ``templates``, ``tokens``, ``tables``; ``addresses``, ``loops``,
``tracing``, ``breaker``, ``trouble``, ``flowed``, ``quotations``, ``slices``; ``adapting``, ``composing``, ``http``, ``ledger``;
``message``, ``node``; ``gateway``; ``api``. All of it is values and pure functions but ``tables``, ``ledger`` and ``http``; the
courier around ``deliver`` and the door are ``roles.gateway*``.
'''
