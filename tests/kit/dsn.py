"""Every field of a delivery report (RFC 3464), whatever the number of its recipients, and what a bounce parser makes of it."""

import email
import email.policy
from email.message import EmailMessage, Message

from attrs import frozen
from flufl.bounce import all_failures

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")


@frozen
class Dsn:
    """A report, taken apart."""

    message: EmailMessage
    """The whole of it."""
    text: str
    """The words for people."""
    about: dict[str, str]
    """The fields about the message; values unfolded."""
    recipients: tuple[dict[str, str], ...]
    """The fields about each recipient, in their order."""
    returned: bytes
    """The content of the third part: the message, or its header."""
    returned_type: str
    failed: frozenset[str]
    """The addresses that flufl.bounce reads as failed for good."""
    delayed: frozenset[str]
    """The addresses that flufl.bounce reads as delayed."""

    @property
    def only(self) -> dict[str, str]:
        """Give the fields of the only recipient."""
        assert len(self.recipients) == 1, self.recipients
        return self.recipients[0]


def read_dsn(octets: bytes) -> Dsn:
    """Take a report apart, and hold that it is formed as RFC 3464 and RFC 6522 want it."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    assert message["Return-Path"] == "<>"
    assert message["Auto-Submitted"].startswith("auto-")
    assert all(message[name] for name in ("From", "To", "Subject", "Date", "Message-ID"))
    text, status, returned = (part for part in message.iter_parts())
    assert text.get_content_type() == "text/plain"
    assert status.get_content_type() in _STATUS_TYPES
    groups = _groups(octets, str(message.get_boundary()))
    temporary, permanent = all_failures(email.message_from_bytes(octets))
    return Dsn(
        message=message,
        text=str(text.get_content()),
        about=groups[0],
        recipients=tuple(groups[1:]),
        returned=_octets(returned),
        returned_type=returned.get_content_type(),
        failed=frozenset(address.decode() for address in permanent),
        delayed=frozenset(address.decode() for address in temporary),
    )


def _groups(octets: bytes, boundary: str) -> list[dict[str, str]]:
    """Read the groups of fields from the octets: RFC 6533 allows UTF-8 there, which Python's parser knows nothing of."""
    part = octets.replace(b"\r\n", b"\n").split(b"\n--" + boundary.encode())[2]
    text = part.partition(b"\n\n")[2].decode()
    return [_fields(group) for group in text.split("\n\n") if group.strip()]


def _fields(group: str) -> dict[str, str]:
    lines = group.replace("\n ", " ").replace("\n\t", " ").strip("\n").split("\n")
    pairs = [line.partition(":") for line in lines]
    names = [name for name, _, _ in pairs]
    assert len(set(names)) == len(names), f"a field is there twice: {names}"
    return {name: value.strip() for name, _, value in pairs}


def _octets(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list) and isinstance(payload[0], Message):
        return payload[0].as_bytes()
    return bytes(part.get_payload(decode=True))
