"""The part of a report for people: what happened, to whom, and what can be done about it."""

from textwrap import wrap

from mailnode.mail.quantity import render_seconds
from mailnode.mail.report_values import Action, Kind, Report, Reported
from mailnode.mail.report_writing import clean, date

_OPENINGS = {
    Kind.FAILURE: "Your message could not be delivered to the addresses below. No further attempt will be made for them.",
    Kind.DELAY: "Your message has not reached the addresses below yet. You need not send it again: the attempts go on.",
    Kind.SUCCESS: "You asked to be told what becomes of your message. This is what is known:",
}

_WORDS = {
    Action.FAILED: "not delivered",
    Action.DELAYED: "delayed",
    Action.DELIVERED: "delivered",
    Action.RELAYED: "handed on to a server that does not send such reports; you will hear no more of it",
    Action.EXPANDED: "delivered to a list or an alias, and sent on to its members",
}

_ADVICE = {
    "1.1": "The address does not exist there: look for a typing error in the part before the @.",
    "1.2": "The domain cannot take mail: look for a typing error in the part after the @.",
    "1.3": "The address is not written correctly.",
    "1.6": "The address has moved and its new one is not known.",
    "1.10": "The domain says that it takes no mail at all.",
    "2.1": "The mailbox is closed.",
    "2.2": "The mailbox is full: its owner has to make room first.",
    "2.3": "The message is too large for this mailbox: send less, or in parts.",
    "3.4": "The message is too large for that server: send less, or in parts.",
    "4.1": "The server could not be reached.",
    "4.4": "No server for the domain was found: look for a typing error in the part after the @.",
    "4.6": "The message went round in a circle: the servers involved are not set up correctly.",
    "4.7": "The server did not take the message in time; its operator can say why, or try again later.",
    "6.7": "The server cannot take addresses that are not ASCII.",
    "7.1": "The server refuses this message by its rules; its operator can say why.",
}
"""What to do, by subject and detail of the status (RFC 3463)."""


def text_part(report: Report) -> bytes:
    """Write the first part of a report."""
    paragraphs = [
        f"This is the mail system at {report.hostname}.",
        _OPENINGS[report.kind],
        *(_of_recipient(one, report) for one in report.recipients),
        _closing(report),
    ]
    text = "\r\n\r\n".join(map(_wrapped, paragraphs)) + "\r\n"
    charset, encoding = ("us-ascii", "7bit") if text.isascii() else ("utf-8", "8bit")
    header = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return (header + text).encode()


def _of_recipient(reported: Reported, report: Report) -> str:
    address = clean(str(reported.recipient.forward_path), is_utf8=report.is_utf8)
    said = clean(str(reported.reply), is_utf8=report.is_utf8)
    remote = clean(reported.remote, is_utf8=False)
    lines = [f"<{address}>: {_WORDS[reported.action]}"]
    if reported.has_expired:
        lines.append(f"  It was tried for {render_seconds(report.written - report.message.arrived)}.")
    lines.append(f"  {remote} said: {said}" if remote else f"  {said}")
    status = reported.status
    advice = _ADVICE.get(f"{status.subject}.{status.detail}")
    if advice and reported.action in (Action.FAILED, Action.DELAYED):
        lines.append(f"  {advice}")
    if reported.action is Action.DELAYED and reported.retry_until:
        lines.append(f"  Attempts go on until {date(reported.retry_until)}.")
    return "\n".join(lines)


def _closing(report: Report) -> str:
    arrived = (
        f"Your message arrived here on {date(report.message.arrived)} and bears the queue id {report.message.queue_id}."
    )
    if report.returned is None:
        return arrived
    what = "It is attached." if report.returned.is_whole else "Its header is attached."
    return f"{arrived} {what}"


def _wrapped(paragraph: str) -> str:
    """Break lines at 76 characters where there is a blank; what stands further in stays further in."""
    return "\r\n".join(
        "\r\n".join(
            wrap(
                line,
                76,
                subsequent_indent=line[: len(line) - len(line.lstrip())],
                break_on_hyphens=False,
                break_long_words=False,
            )
        )
        for line in paragraph.split("\n")
    )
