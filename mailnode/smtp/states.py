"""The lawful order of commands, as a table (RFC 5321 4.1.4, RFC 2033 4, RFC 3030 2, RFC 3207 4, RFC 4954 4).

Theory of operation
-------------------
The server is always in one ``State``. A command is looked up in ``ORDER[state][command]``. What stands there is

* a ``Move``: the command is in order, its event is given, and the reply decides where the machine goes. A positive
  reply (2yz, or 354 to DATA) leads to ``accepted``, any other to ``refused``;
* a ``Reply``: the command is out of order, that is the answer, and nothing changes.

The states are those of a mail transaction::

    GREETING --220--> STRANGER --EHLO--> READY --MAIL--> SENDER --RCPT--> RECIPIENTS --DATA--> CONTENT --.--> READY
        |                                                  |  ^               |
        +--554--> TURNED_AWAY              RCPT refused -> NOBODY             +--BDAT--> CHUNKS --BDAT LAST--> READY

``NOBODY`` is ``SENDER`` after a recipient was refused: it only makes the answer to DATA better (554, no valid
recipients). A hello, RSET and the end of content end the transaction. ``CHALLENGED`` is within AUTH: 334 leads there, any
other reply back to ``READY``. In it, in ``CONTENT``, in ``GREETING``, during TLS's handshake and after the end no command
is read, so these have no row. The content of a chunk is no state either: BDAT
is judged before its content is read, and a refused chunk's content is thrown away before the refusal is said.

What must be kept in step: a new command needs a column in every row; the test that enumerates all pairs says so.
"""

import enum
from collections.abc import Mapping

from attrs import frozen

from mailnode.mail.reply import Reply
from mailnode.smtp import replies


class State(enum.Enum):
    """Where the session stands."""

    GREETING = "greeting"
    """We have not spoken yet."""
    TURNED_AWAY = "turned away"
    """We greeted with 554: only QUIT is answered well (RFC 5321 3.1)."""
    STRANGER = "stranger"
    READY = "ready"
    SENDER = "sender"
    """MAIL was accepted, no recipient yet."""
    NOBODY = "nobody"
    """As SENDER, and recipients were refused."""
    RECIPIENTS = "recipients"
    CHUNKS = "chunks"
    """Content has begun with BDAT and has not ended."""
    CONTENT = "content"
    """354 was said; octets are content."""
    CHALLENGED = "challenged"
    """334 was said within AUTH; the next line is a response."""
    HANDSHAKE = "handshake"
    """220 was said to STARTTLS; nothing is read until TLS is there."""
    CLOSED = "closed"
    """221 or 421 was said; nothing is read any more."""


class Command(enum.Enum):
    """What stands in the columns; EHLO, HELO and LHLO are one."""

    HELLO = "hello"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BDAT = "bdat"
    BDAT_LAST = "bdat last"
    RSET = "rset"
    NOOP = "noop"
    """NOOP, VRFY, EXPN and HELP: they change nothing (RFC 5321 4.1.1.5 to 4.1.1.9)."""
    QUIT = "quit"
    STARTTLS = "starttls"
    AUTH = "auth"
    EXTRA = "extra"
    """Commands of extensions."""


@frozen
class Move:
    """Where a reply leads."""

    accepted: State
    refused: State


_S, _C = State, Command

_ALWAYS: dict[Command, Move | Reply] = {
    _C.QUIT: Move(_S.CLOSED, _S.CLOSED),
}


def _stay(state: State) -> Move:
    return Move(state, state)


ORDER: Mapping[State, Mapping[Command, Move | Reply]] = {
    _S.TURNED_AWAY: {
        **dict.fromkeys(_C, replies.NO_SERVICE),
        **_ALWAYS,
    },
    _S.STRANGER: {
        _C.HELLO: Move(_S.READY, _S.STRANGER),
        _C.MAIL: replies.HELLO_FIRST,
        _C.RCPT: replies.HELLO_FIRST,
        _C.DATA: replies.HELLO_FIRST,
        _C.BDAT: replies.HELLO_FIRST,
        _C.BDAT_LAST: replies.HELLO_FIRST,
        _C.RSET: _stay(_S.STRANGER),
        _C.NOOP: _stay(_S.STRANGER),
        _C.STARTTLS: replies.HELLO_FIRST,
        _C.AUTH: replies.HELLO_FIRST,
        _C.EXTRA: replies.HELLO_FIRST,
        **_ALWAYS,
    },
    _S.READY: {
        _C.HELLO: _stay(_S.READY),
        _C.MAIL: Move(_S.SENDER, _S.READY),
        _C.RCPT: replies.MAIL_FIRST,
        _C.DATA: replies.MAIL_FIRST,
        _C.BDAT: replies.MAIL_FIRST,
        _C.BDAT_LAST: replies.MAIL_FIRST,
        _C.RSET: _stay(_S.READY),
        _C.NOOP: _stay(_S.READY),
        _C.STARTTLS: Move(_S.HANDSHAKE, _S.READY),
        _C.AUTH: _stay(_S.READY),
        _C.EXTRA: _stay(_S.READY),
        **_ALWAYS,
    },
    _S.SENDER: {
        _C.HELLO: Move(_S.READY, _S.SENDER),
        _C.MAIL: replies.NESTED_MAIL,
        _C.RCPT: Move(_S.RECIPIENTS, _S.NOBODY),
        _C.DATA: replies.RCPT_FIRST,
        _C.BDAT: replies.RCPT_FIRST,
        _C.BDAT_LAST: replies.RCPT_FIRST,
        _C.RSET: Move(_S.READY, _S.SENDER),
        _C.NOOP: _stay(_S.SENDER),
        _C.STARTTLS: replies.NOT_NOW,
        _C.AUTH: replies.NOT_NOW,
        _C.EXTRA: replies.NOT_NOW,
        **_ALWAYS,
    },
    _S.NOBODY: {
        _C.HELLO: Move(_S.READY, _S.NOBODY),
        _C.MAIL: replies.NESTED_MAIL,
        _C.RCPT: Move(_S.RECIPIENTS, _S.NOBODY),
        _C.DATA: replies.NO_VALID_RECIPIENTS,
        _C.BDAT: replies.NO_VALID_RECIPIENTS,
        _C.BDAT_LAST: replies.NO_VALID_RECIPIENTS,
        _C.RSET: Move(_S.READY, _S.NOBODY),
        _C.NOOP: _stay(_S.NOBODY),
        _C.STARTTLS: replies.NOT_NOW,
        _C.AUTH: replies.NOT_NOW,
        _C.EXTRA: replies.NOT_NOW,
        **_ALWAYS,
    },
    _S.RECIPIENTS: {
        _C.HELLO: Move(_S.READY, _S.RECIPIENTS),
        _C.MAIL: replies.NESTED_MAIL,
        _C.RCPT: _stay(_S.RECIPIENTS),
        _C.DATA: Move(_S.CONTENT, _S.RECIPIENTS),
        _C.BDAT: Move(_S.CHUNKS, _S.READY),
        _C.BDAT_LAST: _stay(_S.READY),
        _C.RSET: Move(_S.READY, _S.RECIPIENTS),
        _C.NOOP: _stay(_S.RECIPIENTS),
        _C.STARTTLS: replies.NOT_NOW,
        _C.AUTH: replies.NOT_NOW,
        _C.EXTRA: replies.NOT_NOW,
        **_ALWAYS,
    },
    _S.CHUNKS: {
        _C.HELLO: Move(_S.READY, _S.CHUNKS),
        _C.MAIL: replies.CHUNKS_BEGUN,
        _C.RCPT: replies.CHUNKS_BEGUN,
        _C.DATA: replies.CHUNKS_BEGUN,
        _C.BDAT: Move(_S.CHUNKS, _S.READY),
        _C.BDAT_LAST: _stay(_S.READY),
        _C.RSET: Move(_S.READY, _S.CHUNKS),
        _C.NOOP: _stay(_S.CHUNKS),
        _C.STARTTLS: replies.NOT_NOW,
        _C.AUTH: replies.NOT_NOW,
        _C.EXTRA: replies.NOT_NOW,
        **_ALWAYS,
    },
}
"""The order in SMTP."""

_LMTP_WORDS = {
    replies.HELLO_FIRST: replies.LHLO_FIRST,
    replies.NO_VALID_RECIPIENTS: replies.LMTP_NO_VALID_RECIPIENTS,
}

LMTP_ORDER: Mapping[State, Mapping[Command, Move | Reply]] = {
    state: {command: rule if isinstance(rule, Move) else _LMTP_WORDS.get(rule, rule) for command, rule in row.items()}
    for state, row in ORDER.items()
}
"""The order in LMTP: the same, with its own words (RFC 2033 section 4)."""
