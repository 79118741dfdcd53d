"""The gateway ``list``: small mailing lists, run by mail. One gateway serves any number of lists in one domain.

::

    [gateway.lists]
    kind = "list"
    domain = "lists.example.org"
    base_url = "https://lists.example.org"          # one-click unsubscription (RFC 8058); without it only by mail
    endpoint = "tcp:8085:interface=127.0.0.1"       # what a web server that ends TLS passes on
    [gateway.lists.source]
    relay = true                                    # members may live anywhere
    [gateway.lists.lists.news]
    description = "News of the house"
    owners = ["ann@example.org"]
    post = "members"

    [[domain]]
    name = "lists.example.org"
    courier = "lists"
    [domain.aliases]
    postmaster = ["ann@example.org"]

``mailing_list.settings`` has all keys. A list ``news`` is these addresses; everything else is refused at RCPT:

================================  ============================================================================
``news@``                         posts to it
``news-subscribe@``               asks for a confirmation, which makes a member
``news-unsubscribe@``             the same for leaving; with the token of a copy (``+TOKEN``) it is done at once
``news-confirm+TOKEN@``           an answer to a question of ours: a confirmation, or an owner's decision
``news-request@``, ``news-help@`` commands in the subject: subscribe, unsubscribe, help; owners: who, add X, remove X
``news-owner@``                   the owners
``news-bounces+TOKEN@``           reverse-path of each copy (VERP): says whose mailbox a bounce is about
================================  ============================================================================

A mailbox of another domain can be an alias of ``news@`` (``[domain.aliases]``, and ``address`` of the list, so that List-Post shows it);
the other addresses stay in the lists' own domain.

Rules. **Nothing is kept of a request** until it is confirmed: a token is signed and expires, and of an address it holds no
more than the signature, which only its owner can complete. **Answers** are ``Auto-Submitted: auto-replied`` with the null
reverse-path, never go to machines (RFC 3834), are few a day for each address, and are the same for members and strangers.
**Posts** keep their body, and their subject and Reply-To unless set otherwise, so that signatures (DKIM) hold; fields of
RFC 2369, RFC 2919 and RFC 8058 are put on top. A post that has been here before comes back to its sender (``X-BeenThere``,
and the hop mark of gateways). **Copies** are one envelope for each member. ``deliver`` ends when all are durable; where it
got to is written down, so that after a crash it goes on there. What was on its way in that moment (at most ``IN_FLIGHT``
copies) may come twice, as the one promise allows. **Bounces** raise a member's score, which halves in ``bounce_half_life``; beyond
``bounce_threshold`` there are no more copies, and the owners are told. **Archives** are mboxrd files, one whole and one a month,
in the gateway's folder, locked and fsynced; they are written before the first copy leaves.

Not here: digests, rewriting of From for DMARC, a web archive.

From the bottom: ``settings``, ``names``, ``tickets``, ``fields``, ``bounces``, ``archive``, ``texts``; ``store``; ``mailing``; ``fanout``;
``posting``; ``commands``, ``returns``; ``web``; ``gateway``.
"""
