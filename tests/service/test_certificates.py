"""Certificates of a node: which listener shows what, read while it may be, made when there is none."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from mailnode.certificates.settings import CertificateSettings
from mailnode.certificates.stock import Place, Source, Stock
from mailnode.certificates.watch import LOOK_EVERY
from mailnode.service.certificates import Certificates, certificates_for, places_of, self_signed_source
from mailnode.service.settings import ListenerSettings, NodeSettings
from mailnode.service.trouble import StartFailed
from tests.kit.pki import MOMENT, authority
from tests.kit.results import InlineDisk, now


def _settings(*listeners: ListenerSettings, certificates: tuple[CertificateSettings, ...] = ()) -> NodeSettings:
    return NodeSettings(listener=listeners, certificate=certificates)


def _certificates(settings: NodeSettings, folder: Path, clock: Clock | None = None) -> Certificates:
    made = certificates_for(settings, folder, clock or Clock(), lambda: "mx.example.org")
    assert made is not None
    return made


def _written(folder: Path, name: str, days: int = 90) -> tuple[str, str]:
    certificate, key = authority().sign(f"{name}.example.org", days=days).write(folder, name)
    return str(certificate), str(key)


def test_what_each_listener_shows(tmp_path: Path) -> None:
    """Its own, else those for all, else a self-signed one; nothing without TLS."""
    plain, tls = ListenerSettings("a"), ListenerSettings("b", tls="starttls")
    own = ListenerSettings("c", tls="implicit", certificate="/c.pem", private_key="/c.key", client_ca="/ca.pem")
    shared = CertificateSettings("/s.pem")
    assert places_of(_settings(plain, tls, own, certificates=(shared,)), tmp_path) == (
        Place("b", (Source("/s.pem", "/s.pem"),)),
        Place("c", (Source("/c.pem", "/c.key"),), "/ca.pem"),
    )
    assert places_of(_settings(tls), tmp_path) == (Place("b", (self_signed_source(tmp_path),)),)
    assert certificates_for(_settings(plain, certificates=(shared,)), tmp_path, Clock(), lambda: "x") is None


def test_configured_files_are_read_before_anything_else(tmp_path: Path) -> None:
    """Then they may become unreadable; the stock is whole."""
    files = _written(tmp_path, "a")
    made = _certificates(_settings(ListenerSettings("a", "smtp", "tcp:1", "starttls", *files)), tmp_path)
    made.read()
    for file in files:
        Path(file).unlink()
    assert len(made.showcase.stock.pairs) == 1


def test_a_faulty_file_stops_the_start(tmp_path: Path) -> None:
    """With its name and what is wrong."""
    listener = ListenerSettings("a", "smtp", "tcp:1", "starttls", str(tmp_path / "none.pem"))
    with pytest.raises(StartFailed, match=r"none\.pem cannot be read: No such file"):
        _certificates(_settings(listener), tmp_path).read()


def test_an_expired_certificate_is_told_and_shown(tmp_path: Path) -> None:
    """Mail goes on; the log warns."""
    clock = Clock()
    clock.advance(MOMENT.timestamp())
    listener = ListenerSettings("a", "smtp", "tcp:1", "starttls", *_written(tmp_path, "old", days=-3))
    made = _certificates(_settings(listener), tmp_path, clock)
    with capturedLogs() as events:
        made.read()
    assert [event["said"][:14] for event in events] == ["has expired on"]
    assert made.showcase.stock.pairs


def test_without_a_certificate_one_is_made_late_and_the_log_says_so(tmp_path: Path) -> None:
    """Not before it is needed: the folder is not there while privileges last."""
    clock = Clock()
    clock.advance(MOMENT.timestamp())
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().identity.pem)
    settings = _settings(
        ListenerSettings("a", tls="starttls", client_ca=str(ca)), ListenerSettings("b", tls="implicit")
    )
    made = _certificates(settings, tmp_path, clock)
    made.read()
    assert not (tmp_path / "self-signed.pem").exists()
    with capturedLogs() as events:
        made.showcase.warm_up()
    assert (tmp_path / "self-signed.pem").exists()
    assert [(event["verb"], event["listeners"]) for event in events] == [("was made", "a, b")]
    assert made.showcase.stock.authorities[str(ca)]
    again = _certificates(settings, tmp_path, clock)
    again.read()
    with capturedLogs() as events:
        again.showcase.warm_up()
    assert [event["verb"] for event in events] == ["is shown"]


def test_renewed_files_reach_the_other_processes(tmp_path: Path) -> None:
    """By what the watch is told to do with a new stock; stopping ends it."""
    clock = Clock()
    listener = ListenerSettings("a", "smtp", "tcp:1", "starttls", *_written(tmp_path, "a"))
    made = _certificates(_settings(listener), tmp_path, clock)
    made.read()
    told: list[Stock] = []
    made.read_again(())
    made.watch(InlineDisk(), told.append)
    _written(tmp_path, "a")
    clock.advance(LOOK_EVERY)
    clock.advance(LOOK_EVERY)
    assert told == [made.showcase.stock]
    _written(tmp_path, "a")
    made.read_again(places_of(_settings(listener), tmp_path))
    assert len(told) == 2
    now(made.stop())
    assert not clock.getDelayedCalls()


def test_the_late_rooms_exist(tmp_path: Path) -> None:
    """They are imported by name."""
    _certificates(_settings(ListenerSettings("a", tls="starttls")), tmp_path).import_rooms()
