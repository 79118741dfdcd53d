r"""JIDs and mail addresses: XEP-0106 escaping, ``ann@home.example`` is ``ann\40home.example@DOMAIN``."""

import re

from twisted.words.protocols.jabber.jid import JID, InvalidFormat

from mailnode.gateways.api import Mailbox, parse_mailbox

_CODES = {char: f"\\{ord(char):02x}" for char in " \"&'/:<>@"}
_CODE = re.compile(r"\\(20|22|26|27|2f|3a|3c|3e|40|5c)", re.ASCII)
MOST_OCTETS = 1023
"""Of each part of a JID (RFC 7622 section 3.1)."""


def escape(text: str) -> str:
    """Write text so that it may be a local part (XEP-0106 section 4.2); ValueError for blanks at its ends."""
    if text != text.strip(" "):
        raise ValueError("a local part of a JID neither begins nor ends with a blank")
    # A backslash needs an escape only where it would be read as the beginning of one.
    plain = _CODE.sub(lambda found: "\\5c" + found[1], text)
    return "".join(_CODES.get(char, char) for char in plain)


def unescape(text: str) -> str:
    """Undo ``escape``."""
    return _CODE.sub(lambda found: chr(int(found[1], 16)), text)


def parse_jid(text: str) -> JID:
    """Read a JID and bring it into its one form; ValueError when it is none."""
    try:
        jid = JID(text)
    except (InvalidFormat, RuntimeError, UnicodeError, IndexError) as error:  # IndexError: an empty label
        raise ValueError(f"no JID: {text[:100]!r}") from error
    parts = (jid.user or "", jid.host, jid.resource or "")
    if any(len(part.encode("utf-8", "replace")) > MOST_OCTETS for part in parts) or "@" in jid.host:
        raise ValueError(f"no JID: {text[:100]!r}")
    return jid


def bare(text: str) -> str:
    """Give a JID without its resource, in its one form; ValueError when it is none."""
    jid = parse_jid(text)
    return f"{jid.user}@{jid.host}" if jid.user else jid.host


def jid_of(mailbox: Mailbox, domain: str) -> str:
    """Give the JID of a mail address within a component's domain; ValueError when it has none."""
    return bare(f"{escape(str(mailbox))}@{domain}")


def mail_of(jid: str) -> Mailbox:
    r"""Give the mail address that a JID of the component stands for, ``\40`` or ``%``; ValueError when it is none."""
    text = unescape(parse_jid(jid).user or "")
    if "@" not in text:
        local_part, _, domain = text.rpartition("%")
        text = f"{local_part}@{domain}"
    return parse_mailbox(text)
