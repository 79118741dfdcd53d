"""HELP: what the peer may say here, and how (RFC 5321 section 4.1.1.8).

``TOPICS`` has a row for each command. What is shown of it is what the listener offers in this session: commands and
parameters that no extension opens are not spoken of, and asking for them is 504 as for any other unknown topic.
"""

from collections.abc import Collection, Mapping

from attrs import frozen

from mailnode.mail.reply import Reply, Status
from mailnode.smtp import replies
from mailnode.smtp.offer import Offer

STATUS = "STATUS"
"""The topic whose answer is 211: RFC 821 and 5321 (section 4.3.2) give "system status" to HELP and to no other command."""

_PER_LINE = 10
_SUCCESS = Status(2, 0, 0)


@frozen
class Topic:
    """One command."""

    syntax: str
    text: str
    parameters: str = ""
    """Whose parameters may follow: ``MAIL`` or ``RCPT``."""


TOPICS: Mapping[str, Topic] = {
    "ATRN": Topic("ATRN [domain[,domain...]]", "Turns the connection round: your mail comes to you (RFC 2645)."),
    "AUTH": Topic("AUTH mechanism [initial-response]", "Proves who you are (RFC 4954)."),
    "BDAT": Topic("BDAT size [LAST]", "Sends so many octets of the message, with nothing dot-stuffed (RFC 3030)."),
    "DATA": Topic("DATA", "Begins the message, which a line with only a dot ends."),
    "EHLO": Topic("EHLO name", "Says who you are and asks what is offered."),
    "ETRN": Topic("ETRN [@]domain", "Starts the delivery of mail that waits for the domain (RFC 1985)."),
    "EXPN": Topic("EXPN list", "Shows the members of a mailing list."),
    "HELO": Topic("HELO name", "Says who you are, without extensions."),
    "HELP": Topic("HELP [command | STATUS]", "Shows this; STATUS tells how the session stands."),
    "LHLO": Topic("LHLO name", "Says who you are and asks what is offered (RFC 2033)."),
    "MAIL": Topic("MAIL FROM:<reverse-path>", "Begins a mail transaction.", "MAIL"),
    "NOOP": Topic("NOOP [anything]", "Does nothing."),
    "QUIT": Topic("QUIT", "Ends the session."),
    "RCPT": Topic("RCPT TO:<forward-path>", "Names a recipient.", "RCPT"),
    "RSET": Topic("RSET", "Forgets the mail transaction."),
    "SAML": Topic("SAML FROM:<reverse-path>", "Begins a message for terminal and mailbox (RFC 821).", "MAIL"),
    "SEND": Topic("SEND FROM:<reverse-path>", "Begins a message for the terminal (RFC 821).", "MAIL"),
    "SOML": Topic("SOML FROM:<reverse-path>", "Begins a message for the terminal, or else the mailbox.", "MAIL"),
    "STARTTLS": Topic("STARTTLS", "Goes on under TLS (RFC 3207)."),
    "VERB": Topic("VERB [ON | OFF]", "Tells more of the delivery from now on."),
    "VRFY": Topic("VRFY user", "Asks whether there is such a user."),
    "XCLIENT": Topic("XCLIENT name=value ...", "Tells for whom you speak."),
}


def help_on(topic: str, verbs: Collection[str], offer: Offer) -> Reply:
    """Answer HELP with 214, or 504 for what is no topic here; ``verbs`` are those of the session."""
    if not topic:
        return Reply(214, _overview(sorted(verbs)), _SUCCESS)
    verb = topic.upper()
    known = TOPICS.get(verb)
    if known is None or verb not in verbs:
        return replies.NO_SUCH_TOPIC
    return Reply(214, _of(known, offer), _SUCCESS)


def _overview(verbs: list[str]) -> tuple[str, ...]:
    lines = [" ".join(verbs[start : start + _PER_LINE]) for start in range(0, len(verbs), _PER_LINE)]
    return ("Commands:", *lines, "HELP with a command tells more of it, HELP STATUS how the session stands.")


def _of(topic: Topic, offer: Offer) -> tuple[str, ...]:
    opened = {"MAIL": offer.mail, "RCPT": offer.rcpt}.get(topic.parameters, {})
    parameters = (f"Parameters: {' '.join(sorted(opened))}",) if opened else ()
    return (topic.syntax, topic.text, *parameters)
