"""Faults of what mail leaves with."""

from pathlib import Path

from attrs import evolve

from mailnode.couriers.smtp_settings import SmtpCourierSettings
from mailnode.routing.settings import RouteSettings
from mailnode.service.outgoing_faults import exposed_passwords, outgoing_faults
from mailnode.service.settings import NodeSettings


def test_files_must_be_there(tmp_path: Path) -> None:
    """Authorities and passwords that cannot be read are found before the start."""
    settings = NodeSettings(
        smtp=SmtpCourierSettings(ca_file=str(tmp_path / "none"), tls="implicit"),
        route=(
            RouteSettings("a", next_hop="[a.example]", username="a", password_file=str(tmp_path / "none")),
            RouteSettings("b", "lmtp", next_hop="unix:/run/x", tls="verify"),
        ),
    )
    steps = [fault.steps for fault in outgoing_faults(settings)]
    assert steps == [("smtp", "ca_file"), ("smtp", "tls"), ("route", 0, "password_file"), ("route", 1, "tls")]
    assert list(outgoing_faults(NodeSettings())) == []


def test_who_can_read_a_password(tmp_path: Path) -> None:
    """A file that only its owner reads is not spoken of."""
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0o640)
    route = RouteSettings("a", next_hop="[a.example]", username="a", password_file=str(path))
    settings = NodeSettings(route=(route, evolve(route, username="", password_file="")))
    assert [said.partition(" ")[0] for said in exposed_passwords(settings)] == [str(path)]
    path.chmod(0o600)
    assert list(exposed_passwords(settings)) == []
