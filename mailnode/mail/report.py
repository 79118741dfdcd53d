"""Delivery status notifications: what the sender is told (RFC 3464 in the multipart/report of RFC 6522).

A report has three parts: words for people (``report_text``), fields for programs (``report_status``) and the message it is
about, or its header (``report_returned``). Everything in it that came from others (addresses, ORCPT and ENVID, replies) is
hostile: it cannot end a line, forge a field, or grow without end.

Where the message came without SMTPUTF8 the report is ASCII but for octets of the message that are given back. For an
SMTPUTF8 message the report is written in UTF-8, with the types of RFC 6533.
"""

from mailnode.mail.report_returned import Returned, returned_part, take_returned
from mailnode.mail.report_status import status_part
from mailnode.mail.report_text import text_part
from mailnode.mail.report_values import Action, Kind, Report, Reported
from mailnode.mail.report_writing import clean, date, fold


def make_report(report: Report) -> bytes:
    """Write a report as a whole message, with CRLF line ends."""
    parts = [text_part(report), status_part(report)]
    if report.returned is not None:
        parts.append(returned_part(report.returned, is_utf8=report.is_utf8))
    boundary = _boundary(report.queue_id, parts)
    opening = b"--" + boundary + b"\r\n"
    body = b"".join(opening + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return _header(report, boundary.decode(), is_ascii=body.isascii()) + b"\r\n" + body


_SUBJECTS = {
    Kind.FAILURE: "Your message could not be delivered",
    Kind.DELAY: "Your message is delayed",
    Kind.SUCCESS: "Your message has arrived",
}


def _header(report: Report, boundary: str, *, is_ascii: bool) -> bytes:
    fields = [
        ("From", f"Mail Delivery System <MAILER-DAEMON@{report.hostname}>"),
        ("To", f"<{_to(report)}>"),
        ("Subject", _SUBJECTS[report.kind]),
        ("Date", date(report.written)),
        ("Message-ID", f"<{report.queue_id}@{report.hostname}>"),
        # RFC 3834 section 2 names auto-replied for what answers one message; no responder answers it again.
        ("Auto-Submitted", "auto-replied"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/report; report-type=delivery-status; boundary="{boundary}"'),
    ]
    if not is_ascii:
        fields.append(("Content-Transfer-Encoding", "8bit"))
    return "".join(fold(name, value) for name, value in fields).encode()


def _to(report: Report) -> str:
    """Write the sender's address: raw UTF-8 if it is UTF-8, since the report then travels under SMTPUTF8 anyway."""
    return clean(str(report.message.envelope.reverse_path), is_utf8=True)


def _boundary(queue_id: str, parts: list[bytes]) -> bytes:
    number = 0
    while True:
        boundary = f"{queue_id}.{number}/report".encode()
        if not any(boundary in part for part in parts):
            return boundary
        number += 1


__all__ = ["Action", "Kind", "Report", "Reported", "Returned", "make_report", "take_returned"]
