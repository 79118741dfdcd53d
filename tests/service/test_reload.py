"""Tests of what a changed configuration means for a running node."""

import attrs

from mailnode.mail.quantity import Seconds
from mailnode.queue.settings import QueueSettings
from mailnode.routing.settings import DomainSettings
from mailnode.service.reload import UNDER_WAY, in_effect, waiting_for_restart
from mailnode.service.settings import ListenerSettings, LogSettings, NodeSettings, ProcessSettings
from mailnode.sessions.settings import SessionSettings

OLD = NodeSettings()


def test_domains_and_limits_change_under_way() -> None:
    """They count at once and nothing waits for a restart."""
    new = attrs.evolve(
        OLD,
        domain=(DomainSettings(name="example.org"),),
        session=SessionSettings(max_sessions=5),
        log=LogSettings(level="debug"),
        queue=QueueSettings(give_up=Seconds(60)),
    )
    assert in_effect(OLD, new) == new
    assert waiting_for_restart(OLD, new) == []


def test_what_cannot_change_keeps_its_old_value_and_is_named() -> None:
    """A new listener or data folder waits for a restart."""
    new = attrs.evolve(
        OLD,
        node=ProcessSettings(hostname="mx.example.org", trusted_networks=("10.0.0.0/8",)),
        listener=(ListenerSettings(),),
        queue=QueueSettings(give_up=Seconds(60), concurrency=7),
        log=LogSettings(file="mail.log"),
    )
    assert waiting_for_restart(OLD, new) == ["node.hostname", "listener", "queue.concurrency", "log.file"]
    counts = in_effect(OLD, new)
    assert counts.node == ProcessSettings(trusted_networks=("10.0.0.0/8",))
    assert counts.listener == ()
    assert counts.queue == QueueSettings(give_up=Seconds(60))


def test_the_table_names_settings_that_exist() -> None:
    """A setting that was renamed must not silently stop to change under way."""
    for heading, names in UNDER_WAY.items():
        settings = getattr(OLD, heading)
        if names != {"*"}:
            assert names <= {field.name for field in attrs.fields(type(settings))}
