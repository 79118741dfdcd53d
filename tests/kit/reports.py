"""Delivery reports (RFC 3464) read by parsers we did not write: Python's email package and flufl.bounce."""

import email
import email.policy
from email.message import EmailMessage, Message

from attrs import frozen
from flufl.bounce import all_failures


@frozen
class ReadReport:
    """What a report says about its only recipient."""

    action: str
    """``failed``, ``delayed``, ``delivered``, ``relayed`` or ``expanded``."""
    status: str
    """The enhanced status code."""
    recipient: str
    """Final-Recipient without its type."""
    diagnostic: str
    """Diagnostic-Code, empty when there is none."""
    remote: str
    """Remote-MTA, empty when there is none."""
    bounced: frozenset[str]
    """The addresses that flufl.bounce reads as failed for good."""
    delayed: frozenset[str]
    """The addresses that flufl.bounce reads as delayed."""
    message: EmailMessage
    """The whole report."""


def read_report(octets: bytes) -> ReadReport:
    """Read a report about one recipient, and hold that it has the parts that RFC 3462 and RFC 3464 want."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    explanation, status, returned = (part for part in message.iter_parts())
    assert explanation.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    assert returned.get_content_type() in (
        "message/rfc822",
        "text/rfc822-headers",
        "message/global",
        "message/global-headers",
    )
    about_message, about_recipient = _fields(status)
    assert about_message["Reporting-MTA"]
    temporary, permanent = all_failures(email.message_from_bytes(octets))
    return ReadReport(
        action=str(about_recipient["Action"]).lower(),
        status=str(about_recipient["Status"]).split()[0],
        recipient=str(about_recipient["Final-Recipient"]).partition(";")[2].strip(),
        diagnostic=str(about_recipient.get("Diagnostic-Code", "")),
        remote=str(about_recipient.get("Remote-MTA", "")),
        bounced=frozenset(address.decode() for address in permanent),
        delayed=frozenset(address.decode() for address in temporary),
        message=message,
    )


def _fields(status: Message) -> list[Message]:
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    return [block for block in blocks if isinstance(block, Message) and block.keys()]
