"""A password is the first line of a file, and a warning is given once when others can read it."""

from pathlib import Path

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from mailnode.couriers.smtp_password import PasswordFile
from tests.kit.results import InlineDisk, now


@implementer(ILogObserver)
class _Seen(list[LogEvent]):
    """What was logged."""

    def __call__(self, event: LogEvent) -> None:
        self.append(event)


def test_read_anew_and_warned_of_once(tmp_path: Path) -> None:
    """A changed file counts at once; the log names the file and not what is in it."""
    path = tmp_path / "secret"
    path.write_text("first\nsecond\n")
    path.chmod(0o644)
    events = _Seen()
    globalLogPublisher.addObserver(events)
    try:
        password = PasswordFile(str(path), InlineDisk())
        assert now(password.read()) == "first"
        path.write_text("other")
        assert now(password.read()) == "other"
    finally:
        globalLogPublisher.removeObserver(events)
    [warning] = [event for event in events if event.get("event") == "trouble"]
    assert warning["path"] == str(path)
    assert "first" not in str(warning)
