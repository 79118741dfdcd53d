"""HELP speaks of what there is, and of nothing else."""

import pytest

from mailnode.smtp import commands
from mailnode.smtp.classic import classic_extensions
from mailnode.smtp.extensions import STARTTLS, Extension, standard_extensions
from mailnode.smtp.help import TOPICS
from mailnode.smtp.server import ServerConnection
from mailnode.smtp.settings import ServerSettings

SETTINGS = ServerSettings(max_size=1000)


def connection(*more: Extension, lmtp: bool = False) -> ServerConnection:
    """Make a machine with the standard extensions and some more."""
    return ServerConnection(SETTINGS, (*standard_extensions(SETTINGS), *more), lmtp=lmtp)


def test_every_command_has_a_topic() -> None:
    """The table has a row for each verb that the machine itself knows."""
    known = {*commands.VERBS, *commands.LMTP_VERBS, *commands.BY_EXTENSION, "BDAT", "VERB"}
    assert known <= set(TOPICS)


@pytest.mark.rfc("5321", "4.1.1.8")
def test_help_tells_what_is_offered() -> None:
    """What an extension opens is spoken of where it is offered, and is no topic elsewhere."""
    assert not any("STARTTLS" in line or "SEND" in line for line in connection().explain("").lines)
    offered = connection(STARTTLS, *classic_extensions(expands=True, sends=True, is_verbose=True))
    words = " ".join(offered.explain("").lines).split()
    assert {"STARTTLS", "SEND", "SOML", "SAML", "VERB", "VRFY", "EXPN"} <= set(words)
    assert connection().explain("STARTTLS").code == 504
    assert offered.explain("starttls").code == 214


def test_parameters_are_those_that_are_open() -> None:
    """MAIL and RCPT name theirs; without extensions there are none."""
    assert connection().explain("MAIL").lines[-1] == "Parameters: BODY ENVID RET SIZE SMTPUTF8"
    assert connection().explain("RCPT").lines[-1] == "Parameters: NOTIFY ORCPT"
    assert len(ServerConnection(SETTINGS, ()).explain("MAIL").lines) == 2


def test_what_is_hidden_stays_hidden() -> None:
    """A verb that is not told of is no topic either."""
    hidden = Extension("XCLIENT", verbs=("XCLIENT",), is_said=False)
    assert connection(hidden).explain("XCLIENT").code == 504
    assert not any("XCLIENT" in line for line in connection(hidden).explain("").lines)


def test_lmtp_has_its_own_hello() -> None:
    """LHLO is a topic there, and HELO is none."""
    assert connection(lmtp=True).explain("LHLO").code == 214
    assert connection(lmtp=True).explain("HELO").code == 504
