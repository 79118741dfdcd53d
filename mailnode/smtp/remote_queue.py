"""ETRN and ATRN: another host asks for its mail (RFC 1985, RFC 2645).

ETRN asks us to start our queue, which then connects as ever. ATRN asks to turn this very connection around: the client
that has just authenticated becomes the server, and we send it what waits for its domains.
"""

from mailnode.mail.reply import Reply
from mailnode.smtp.extensions import Extension

ETRN = Extension("ETRN", verbs=("ETRN",))
ATRN = Extension("ATRN", verbs=("ATRN",))

ETRN_SYNTAX = Reply.of(501, "5.5.4", "Syntax: ETRN node, ETRN @domain or ETRN #queue")  # RFC 1985 5.1
ATRN_SYNTAX = Reply.of(501, "5.5.4", "Syntax: ATRN [domain[,domain...]]")  # RFC 2645 5.2.1
TURNED = Reply.of(250, "2.0.0", "OK, now reversing the connection")  # RFC 2645 5.2.1
NO_MAIL = Reply.of(453, "4.2.0", "You have no mail")  # RFC 2645 5.2.1
ATRN_REFUSED = Reply.of(450, "4.7.1", "ATRN request refused")  # RFC 2645 5.2.1
ATRN_NOT_NOW = Reply.of(451, "4.3.2", "Unable to process ATRN request now")  # RFC 2645 5.2.1
ONLY_ATRN = Reply.of(502, "5.5.1", "Only ATRN here; mail goes elsewhere")  # RFC 2645 5.1, 5.2
SPOKE_AHEAD = Reply.of(503, "5.5.1", "Nothing may be said behind ATRN before its answer")  # RFC 2645 5.3


def started(node: str, count: int) -> Reply:
    """Tell that the queue was started, and for how many recipients (RFC 1985 section 5.3)."""
    if not count:
        return Reply.of(251, "2.0.0", f"OK, no messages waiting for node {node}")
    return Reply.of(253, "2.0.0", f"OK, {count} pending messages for node {node} started")


def unable(node: str) -> Reply:
    """Tell that it cannot be started now."""
    return Reply.of(458, "4.3.0", f"Unable to queue messages for node {node}")


def not_allowed(node: str, why: str) -> Reply:
    """Tell that it may not be started by this client."""
    return Reply.of(459, "4.7.1", f"Node {node} not allowed: {why}")
