"""Service extensions and their parameters."""

import pytest

from mailnode.mail.envelope import Body, Notify, Return
from mailnode.smtp import events, replies
from mailnode.smtp.extensions import (
    BINARY_MIME,
    CHUNKING,
    DSN,
    EIGHT_BIT_MIME,
    SMTPUTF8,
    STARTTLS,
    Extension,
    MailDraft,
    limits,
    size,
    standard_extensions,
)
from mailnode.smtp.settings import ServerSettings
from tests.kit.machine import SETTINGS, Host


def mail(parameters: str, *extensions: Extension) -> events.Event:
    """Say MAIL with these parameters; give its event."""
    host = Host(SETTINGS, extensions)
    host.feed(b"EHLO x\r\nMAIL FROM:<a@b.example> " + parameters.encode() + b"\r\n")
    return host.events[-1]


def rcpt(parameters: str, *extensions: Extension, utf8: bool = False) -> events.Event:
    """Say RCPT with these parameters; give its event."""
    host = Host(SETTINGS, extensions)
    host.feed(b"EHLO x\r\nMAIL FROM:<a@b.example>" + b" SMTPUTF8" * utf8 + b"\r\n")
    host.feed(b"RCPT TO:<c@d.example> " + parameters.encode() + b"\r\n")
    return host.events[-1]


def refusal(event: events.Event) -> str:
    """Give code and status of a faulty command."""
    assert isinstance(event, events.Faulty)
    return f"{event.reply.code} {event.reply.status}"


@pytest.mark.rfc("3461", "4.3")
@pytest.mark.rfc("3461", "4.4")
def test_the_parameters_of_mail_are_in_the_envelope() -> None:
    """SIZE, BODY, SMTPUTF8, RET and ENVID are read, in any case and order."""
    event = mail("ret=hdrs ENVID=QQ+2B1 body=8bitmime SMTPUTF8 SIZE=77")
    assert isinstance(event, events.Mail)
    assert event.size == 77
    envelope = event.envelope
    assert (envelope.returns, envelope.envelope_id) == (Return.HEADERS, "QQ+1")
    assert (envelope.body, envelope.smtputf8) == (Body.EIGHT_BIT_MIME, True)


@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize(
    ("value", "notify"),
    [
        ("NEVER", Notify.NEVER),
        ("success", Notify.SUCCESS),
        ("DELAY,FAILURE", Notify.DELAY | Notify.FAILURE),
        ("SUCCESS,FAILURE,DELAY", Notify.SUCCESS | Notify.FAILURE | Notify.DELAY),
    ],
)
def test_notify(value: str, notify: Notify) -> None:
    """NEVER stands alone, the others in any company."""
    event = rcpt(f"NOTIFY={value}")
    assert isinstance(event, events.Rcpt)
    assert event.recipient.notify == notify


@pytest.mark.rfc("3461", "4.2")
@pytest.mark.rfc("6533", "3")
def test_orcpt() -> None:
    """The original recipient is kept with its type and decoded."""
    plain = rcpt("ORCPT=rfc822;c+2Bx@d.example")
    assert isinstance(plain, events.Rcpt)
    assert plain.recipient.original == "rfc822;c+x@d.example"
    utf8 = rcpt(r"ORCPT=utf-8;\x{E9}@d.example")
    assert isinstance(utf8, events.Rcpt)
    assert utf8.recipient.original == "utf-8;é@d.example"
    itself = rcpt("ORCPT=utf-8;é@d.example", utf8=True)
    assert isinstance(itself, events.Rcpt)
    assert itself.recipient.original == "utf-8;é@d.example"


@pytest.mark.rfc("5321", "4.1.1.11")
@pytest.mark.parametrize(
    "parameters",
    [
        "SIZE", "SIZE=", "SIZE=a", "SIZE=-1", "SIZE=1e3", "SIZE=" + "9" * 21, "BODY", "BODY=BINARY", "SMTPUTF8=1", "RET",
        "RET=ALL", "ENVID", "ENVID=", "ENVID=a+b", "ENVID=+0A", "ENVID=" + "a" * 101, "SIZE=1 size=1", "=", "SIZE=1=2", "-A",
    ],
)  # fmt: skip
def test_wrong_parameters_of_mail(parameters: str) -> None:
    """Each is 501 5.5.4."""
    assert refusal(mail(parameters)) == "501 5.5.4"


@pytest.mark.parametrize(
    "parameters",
    [
        "NOTIFY", "NOTIFY=", "NOTIFY=NEVER,DELAY", "NOTIFY=DELAY,NEVER", "NOTIFY=DELAY,DELAY", "NOTIFY=DELAY,", "ORCPT",
        "ORCPT=a@b", "ORCPT=;a@b", "ORCPT=rfc822;", "ORCPT=rfc822;a+", "ORCPT=rf c;a", "ORCPT=rfc822;a+0Db",
        "ORCPT=rfc822;" + "a" * 500, "ORCPT=utf-8;é@b", "ORCPT=ütf;a@b", "NOTIFY=DELAY NOTIFY=DELAY",
    ],
)  # fmt: skip
def test_wrong_parameters_of_rcpt(parameters: str) -> None:
    """Each is refused: 501 5.5.4, or 555 for what is no parameter of ours."""
    assert refusal(rcpt(parameters)) in ("501 5.5.4", "555 5.5.4")


@pytest.mark.parametrize("parameter", ["SIZE=1", "BODY=8BITMIME", "SMTPUTF8", "RET=FULL", "ENVID=a", "AUTH=<>"])
def test_parameters_of_extensions_not_offered(parameter: str) -> None:
    """What no extension opened is 555 5.5.4."""
    assert refusal(mail(parameter, STARTTLS)) == "555 5.5.4"


@pytest.mark.rfc("1870", "6.1")
def test_size_is_judged_at_mail() -> None:
    """More than the most is 552 5.3.4 at once; without a most any size goes."""
    assert refusal(mail("SIZE=11", size(10))) == "552 5.3.4"
    assert isinstance(mail("SIZE=10", size(10)), events.Mail)
    assert isinstance(mail("SIZE=99999999999", size(0)), events.Mail)


@pytest.mark.rfc("3030", "3")
def test_binarymime_widens_body() -> None:
    """BODY=BINARYMIME needs its extension."""
    assert refusal(mail("BODY=BINARYMIME", EIGHT_BIT_MIME, CHUNKING)) == "501 5.5.4"
    event = mail("BODY=BINARYMIME", EIGHT_BIT_MIME, CHUNKING, BINARY_MIME)
    assert isinstance(event, events.Mail)
    assert event.envelope.body is Body.BINARY_MIME


@pytest.mark.rfc("9422", "4")
def test_limits_are_said() -> None:
    """Only limits that there are, are said; without any, nothing is."""
    assert limits(max_recipients=100, max_transactions=5).line == "LIMITS MAILMAX=5 RCPTMAX=100"
    assert limits(max_recipients=100).line == "LIMITS RCPTMAX=100"
    keywords = [extension.keyword for extension in standard_extensions(ServerSettings(max_recipients=5))]
    assert keywords[-1] == "LIMITS"
    assert "LIMITS" not in [extension.keyword for extension in standard_extensions(ServerSettings())]


def test_a_new_extension_is_one_object() -> None:
    """Keyword, parameter, parameters of commands and commands all come from one value."""

    def read(draft: MailDraft, value: str | None) -> None:
        draft.extra.append(("XRING", value or ""))

    ring = Extension("XRING", "LOUD", mail={"XRING": read}, verbs=("XBELL",))
    host = Host(SETTINGS, (ring, DSN, SMTPUTF8))
    assert b"250-XRING LOUD\r\n" in host.feed(b"EHLO x\r\n")
    host.feed(b"xbell  twice \r\nMAIL FROM:<a@b.example> xring=bim\r\n")
    assert host.events[1] == events.Extra("XBELL", "twice")
    event = host.events[2]
    assert isinstance(event, events.Mail)
    assert event.envelope.extra == (("XRING", "bim"),)
    assert host.feed(b"XBELL\r\n").startswith(b"503 ")
    assert Host().feed(b"EHLO x\r\nXBELL\r\n").endswith(replies.UNKNOWN_COMMAND.lines[0].encode() + b"\r\n")
