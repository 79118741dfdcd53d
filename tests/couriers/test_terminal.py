"""The terminal courier finds the user's terminal and shows the message there, or says that nobody is active."""

from pathlib import Path

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from mailnode.couriers.terminal import NOT_ACTIVE, SHOWN, TerminalCourier
from mailnode.couriers.terminal_settings import TerminalSettings
from mailnode.mail.address import parse_mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Envelope, Recipient
from mailnode.mail.message import DeliveryRequest, Message
from mailnode.mail.outcome import Outcome
from mailnode.mail.route import Lane
from tests.kit.results import InlineDisk, now
from tests.kit.terminals import Terminal, login_name, write_utmp

ANN = parse_mailbox("ann@example.org")
ME = login_name()


def courier(folder: Path, settings: TerminalSettings) -> TerminalCourier:
    """Make a courier whose utmp lies in the folder."""
    own = evolve(settings, utmp=str(folder / "utmp"), sessions=str(folder / "sessions"))
    return TerminalCourier(hostname="mx.example", clock=Clock(), disk=InlineDisk(), settings=own)


def show(one: TerminalCourier, *addresses: str) -> list[Outcome]:
    """Let it carry a message."""
    recipients = tuple(Recipient(parse_mailbox(address)) for address in addresses)
    envelope = Envelope(parse_mailbox("bob@example.org"), recipients)
    message = Message("q", envelope, Content(b"Subject: x\r\n\r\ncome \x1b[2J here\r\n"), 0.0)
    said = now(one.carry(DeliveryRequest(message, Lane("terminal"))))
    return [said[recipient] for recipient in recipients]


@pytest.mark.rfc("821", "3.4")
def test_a_user_who_is_logged_in_sees_the_message(tmp_path: Path) -> None:
    """By her entry in the settings; letters of either case do not matter, and no escape sequence arrives."""
    with Terminal() as terminal:
        write_utmp(tmp_path / "utmp", [(ME, terminal.name)])
        one = courier(tmp_path, TerminalSettings(users={"Ann@example.org": ME}))
        assert now(one.accepts(ANN))
        assert show(one, "ann@EXAMPLE.org") == [SHOWN]
        said = terminal.read(5.0)
        assert b"Message from bob@example.org" in said
        assert b"come ?[2J here" in said
        assert b"\x1b" not in said
        now(one.close())


def test_the_local_part_may_be_the_login_name(tmp_path: Path) -> None:
    """At the domains of which the settings say so, and there only."""
    with Terminal() as terminal:
        write_utmp(tmp_path / "utmp", [(ME, terminal.name)])
        one = courier(tmp_path, TerminalSettings(domains=("example.org",)))
        assert show(one, f"{ME}@example.org", f"{ME}@other.example") == [SHOWN, NOT_ACTIVE]
        assert not now(one.accepts(parse_mailbox(f"{ME}@other.example")))


@pytest.mark.rfc("821", "3.4")
def test_a_user_who_is_not_active_is_450(tmp_path: Path) -> None:
    """Not logged in, or with messages switched off."""
    one = courier(tmp_path, TerminalSettings(users={"ann@example.org": ME}))
    assert show(one, "ann@example.org") == [NOT_ACTIVE]
    with Terminal(messages=False) as terminal:
        write_utmp(tmp_path / "utmp", [(ME, terminal.name)])
        assert not now(one.accepts(ANN))
        assert show(one, "ann@example.org") == [NOT_ACTIVE]
        assert terminal.read() == b""
    assert str(NOT_ACTIVE.reply).startswith("450 4.2.1")


def test_one_terminal_gets_it_and_sessions_count_too(tmp_path: Path) -> None:
    """Of two terminals one is written to; logind's record of a third is as good as utmp's."""
    with Terminal() as first, Terminal() as second:
        write_utmp(tmp_path / "utmp", [(ME, first.name), (ME, second.name)])
        one = courier(tmp_path, TerminalSettings(users={"ann@example.org": ME}))
        assert show(one, "ann@example.org") == [SHOWN]
        assert sorted(bool(terminal.read()) for terminal in (first, second)) == [False, True]
    with Terminal() as third:
        (tmp_path / "utmp").unlink()
        (tmp_path / "sessions").mkdir()
        (tmp_path / "sessions" / "9").write_text(f"USER={ME}\nSTATE=active\nTTY={third.name}\n")
        assert show(one, "ann@example.org") == [SHOWN]
        assert third.read(5.0)


def test_who_may_write_is_a_setting(tmp_path: Path) -> None:
    """The trusted only, unless it says all."""
    assert not courier(tmp_path, TerminalSettings()).is_open_to_all
    assert courier(tmp_path, TerminalSettings(senders="all")).is_open_to_all
