"""Mail <-> IRC: messages to channels and people, and what is said to the bot as mail (RFC 1459, RFC 2812).

Configuration::

    [gateway.irc]
    kind = "irc"
    endpoint = "tls:irc.example.net:6697"     # tls: certificate and name are verified
    nick = "mailnode"
    channels = ["#ops", "#help"]              # where the bot is, and all it sends to
    may_write_to = ["@example.com"]           # whom people may write to; "ann@example.com" or a whole domain

    [gateway.irc.mail]
    "#help" = "help@example.com"              # who gets what is addressed to nobody else

    [[domain]]
    name = "irc.example"
    courier = "irc"

    [gateway.irc.addresses]
    map = ["channel.{name}@irc.example <-> #{name}", "{nick}@irc.example <-> {nick}"]

A password: ``login = "sasl"`` (PLAIN), ``"nickserv"`` or ``"server"`` (PASS), with ``password_file``; it never goes over a
connection without TLS that leaves the machine.

**Out.** One line with sender and subject, then the sender's own words cut into lines, ``max_lines`` at most and with a mark that
says how many are missing; never a control character. Lines go as fast as ``burst`` and ``pace`` allow, those of one
message together. Channels are joined when they are first needed.

**Outcomes.** IRC acknowledges nothing, but a server reads a client's lines in order. So a PING follows: once its PONG is here, the
server has taken the lines, and its errors have come before. That is Delivered; whether anybody reads it, IRC does not tell.
``numerics`` says what errors mean. Who is not there bounces at once, or is waited for with ``absent_wait``. With
``form = "notice"`` many servers, ngircd among them, tell no errors (RFC 2812 section 3.3.2): then people are asked for first, by ISON, but
what a moderated channel does not let through is lost.

**Twice.** IRC knows no keys. How many lines of a message the server has confirmed is remembered after each PONG, and a later
attempt goes on behind them. So when a connection breaks, at most the lines since the last PONG, ``burst`` of them, come twice.

**In.** ``mailnode: to ann@example.com: text`` in a channel or, without the name, in private; or a line with ``prefix``. Without an
address it goes to whoever sent the last mail there, as an answer to that mail (``answers = false`` turns that off), else to
the address of the channel in ``mail``. Lines of one person become one mail until nothing more came for ``window``. The mail
is from ``nick@irc.example``; where it was said in a channel, Reply-To is the channel, and what is answered there names the person.

IRC names are nobody's for sure: a mail from here says who it was as far as the server knows, no more. Notices are never
answered, and what the bot says by itself is a notice (RFC 2812 section 3.3.2), so that two machines do not talk for ever. What is said while
the gateway is away is lost, as are lines that still wait within ``window`` when the machine loses power.

Inside this room, from the bottom: ``words`` (lines as they may travel), ``orders`` (what a line asks for), ``numerics``;
``access``, ``session`` (one connection), ``pacing``, ``link`` (keeps one), ``threads``, ``hearing`` (lines become mails); ``gateway``. The
protocol is that of ``twisted.words``, without its DCC and CTCP, which do what strangers ask for.
"""
