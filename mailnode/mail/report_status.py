"""The part of a report for programs: fields about the message, then fields about each recipient (RFC 3464 section 2)."""

import re

from mailnode.mail.domain import literal_address
from mailnode.mail.reply import Reply
from mailnode.mail.report_values import Action, Report, Reported
from mailnode.mail.report_writing import MOST_OCTETS, clean, date, fold
from mailnode.mail.wishes import FOREVER, deadline_of, moment_text, released_at

_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}")


def status_part(report: Report) -> bytes:
    """Write the second part of a report."""
    kind = "message/global-delivery-status" if report.is_utf8 else "message/delivery-status"
    groups = [_of_message(report), *(_of_recipient(one, is_utf8=report.is_utf8) for one in report.recipients)]
    octets = "\r\n".join("".join(fold(name, value) for name, value in group) for group in groups).encode()
    encoding = "7bit" if octets.isascii() else "8bit"
    header = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Description: Delivery report\r\n\r\n"
    )
    return header.encode() + octets


def _of_message(report: Report) -> list[tuple[str, str]]:
    """Give the fields of section 2.2."""
    message = report.message
    fields = [("Reporting-MTA", f"dns; {report.hostname}")]
    if message.envelope.envelope_id:
        # RFC 3461 section 6.3: the ENVID as it was before its xtext.
        fields.insert(0, ("Original-Envelope-Id", clean(message.envelope.envelope_id, is_utf8=False)))
    held = released_at(message.envelope)
    if held:
        fields.append(("Future-Release-Request", f"until;{moment_text(held)}"))  # RFC 4865 section 5
    if deadline_of(message) < FOREVER:
        fields.append(("Deliver-By-Date", date(deadline_of(message))))  # RFC 2852 section 5
    return [*fields, ("X-Mailnode-Queue-Id", message.queue_id), ("Arrival-Date", date(message.arrived))]


def _of_recipient(reported: Reported, *, is_utf8: bool) -> list[tuple[str, str]]:
    """Give the fields of section 2.3."""
    fields = [
        ("Final-Recipient", _address("rfc822", str(reported.recipient.forward_path), is_utf8=is_utf8)),
        ("Action", reported.action.value),
        ("Status", str(reported.status)),
    ]
    kind, _, original = reported.recipient.original.partition(";")
    if original and _ADDRESS_TYPE.fullmatch(kind):
        fields.insert(0, ("Original-Recipient", _address(kind, original, is_utf8=is_utf8)))
    said = clean(_transcript(reported.reply), is_utf8=is_utf8)
    if reported.remote:
        fields.append(("Remote-MTA", clean(_mta_name(reported.remote), is_utf8=False)))
        fields.append(("Diagnostic-Code", f"smtp; {said}"))
    else:
        # Section 2.3.6: the type smtp is for what an SMTP server said; these words are our own.
        fields.append(("Diagnostic-Code", f"x-mailnode; {said}"))
    if reported.tls:
        fields.append(("X-Mailnode-TLS", clean(reported.tls, is_utf8=False)))
    if reported.last_attempt:
        fields.append(("Last-Attempt-Date", date(reported.last_attempt)))
    if reported.action is Action.DELAYED and reported.retry_until:
        fields.append(("Will-Retry-Until", date(reported.retry_until)))
    return fields


def _transcript(reply: Reply) -> str:
    """Write a reply as it came over the wire, a blank for each line end (RFC 3461 section 9.2)."""
    status = f"{reply.status} " if reply.status else ""
    lines = [f"{reply.code}-{status}{line}" for line in reply.lines[:-1]]
    return " ".join([*lines, f"{reply.code} {status}{reply.lines[-1]}"])


def _mta_name(remote: str) -> str:
    """Name a host with its type; an IP address is written as a literal (RFC 3461 section 9.3)."""
    if remote.startswith("unix:"):
        return f"x-{remote.replace(':', '; ', 1)}"
    if literal_address(f"[{remote}]"):
        return f"dns; [{remote}]"
    return f"dns; [IPv6:{remote}]" if literal_address(f"[IPv6:{remote}]") else f"dns; {remote}"


def _address(kind: str, address: str, *, is_utf8: bool) -> str:
    """Write an address with its type; one that is not ASCII is of type utf-8 (RFC 6533 section 3)."""
    plain = clean(address, is_utf8=True)
    if plain.isascii():
        return f"{kind}; {plain}"
    return f"utf-8; {plain if is_utf8 else _in_ascii(plain)}"


def _in_ascii(address: str) -> str:
    r"""Write an address as utf-8-addr-xtext: what is not ASCII, and what has a meaning there, as ``\x{4E2D}``."""
    escaped = (char if char.isascii() and char not in "\\+=" else f"\\x{{{ord(char):02X}}}" for char in address)
    return "".join(escaped)[:MOST_OCTETS]
