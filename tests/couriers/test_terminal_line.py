"""A terminal gets messages only where it takes them, and never makes anybody wait."""

import os
import termios
from pathlib import Path

from mailnode.couriers.terminal_line import Line, open_line
from tests.kit.terminals import Terminal, login_name

ME = login_name()


def test_a_terminal_that_takes_messages_gets_them() -> None:
    """What is written arrives."""
    with Terminal() as terminal:
        line = open_line(terminal.path, ME)
        assert line is not None
        assert line.write(lambda _: b"hello\r\n")
        assert terminal.read(5.0) == b"hello\r\r\n"  # the terminal's own driver adds a CR before each LF


def test_messages_may_be_switched_off() -> None:
    """Without the group's write permission nothing is written, also when it was taken away after the look."""
    with Terminal(messages=False) as terminal:
        assert open_line(terminal.path, ME) is None
        terminal.allow(True)
        line = open_line(terminal.path, ME)
        assert line is not None
        terminal.allow(False)
        assert not line.write(lambda _: b"hello\r\n")
        assert terminal.read() == b""


def test_another_users_terminal_is_left_alone() -> None:
    """An old record must not show a message to somebody else."""
    other = "nobody" if ME != "nobody" else "root"
    with Terminal() as terminal:
        assert open_line(terminal.path, other) is None
        assert open_line(terminal.path, "no-such-user") is None
        assert not Line(terminal.path, os.getuid() + 1, 0.0).write(lambda _: b"x")


def test_what_is_no_terminal_gets_nothing(tmp_path: Path) -> None:
    """Neither a file, nor a device that is no terminal, nor a link to one."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    file.chmod(0o620)
    assert open_line(file, ME) is None
    assert open_line(tmp_path / "none", ME) is None
    assert not Line(Path("/dev/null"), os.getuid(), 0.0).write(lambda _: b"x")
    with Terminal() as terminal:
        link = tmp_path / "link"
        link.symlink_to(terminal.path)
        assert open_line(link, ME) is None
        assert not Line(link, os.getuid(), 0.0).write(lambda _: b"x")


def test_a_stopped_terminal_makes_nobody_wait() -> None:
    """After Control-S, writing gives up at once."""
    with Terminal() as terminal:
        line = open_line(terminal.path, ME)
        assert line is not None
        descriptor = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
        try:
            termios.tcflow(descriptor, termios.TCOOFF)
            assert not line.write(lambda _: b"hello\r\n")
            termios.tcflow(descriptor, termios.TCOON)
            assert line.write(lambda _: b"again\r\n")
        finally:
            os.close(descriptor)


def test_a_full_terminal_makes_nobody_wait() -> None:
    """When nobody reads what the terminal shows, a write that does not fit is no success."""
    with Terminal() as terminal:
        line = open_line(terminal.path, ME)
        assert line is not None
        assert not line.write(lambda _: b"x" * 1_000_000)


def test_a_terminal_shows_whether_it_speaks_utf8() -> None:
    """The flag IUTF8 of its input says so."""
    with Terminal() as terminal:
        line = open_line(terminal.path, ME)
        assert line is not None
        heard: list[bool] = []

        def hear(is_utf8: bool) -> bytes:
            heard.append(is_utf8)
            return b""

        descriptor = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
        try:
            for flag in (0, 0o40000):
                attributes = termios.tcgetattr(descriptor)
                attributes[0] = attributes[0] & ~0o40000 | flag
                termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
                line.write(hear)
        finally:
            os.close(descriptor)
        assert heard == [False, True]
