"""How much one account or one address may submit in an hour."""

import math

from attrs import Factory, frozen

from mailnode.interfaces import Refused
from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply
from mailnode.policy.rates import Meter, Rate
from mailnode.roles.originator_settings import SubmissionSettings


@frozen
class Limits:
    """The four meters of submission."""

    account_messages: Meter = Factory(lambda: Meter(Rate()))
    account_recipients: Meter = Factory(lambda: Meter(Rate()))
    address_messages: Meter = Factory(lambda: Meter(Rate()))
    address_recipients: Meter = Factory(lambda: Meter(Rate()))

    def apply(self, settings: SubmissionSettings, workers: int = 1) -> None:
        """Take over limits that have changed; what was counted stays counted. Each worker has its part."""
        for name in ("account_messages", "account_recipients", "address_messages", "address_recipients"):
            getattr(self, name).rate = Rate(getattr(settings, name), settings.rate_period).share_of(workers)

    def message(self, peer: Peer, now: float) -> None:
        """Count a message, or refuse it."""
        _spend(self.account_messages, "messages from this account", peer.account.lower(), now)
        _spend(self.address_messages, "messages from your address", peer.address, now)

    def recipient(self, peer: Peer, now: float) -> None:
        """Count a recipient, or refuse it."""
        _spend(self.account_recipients, "recipients from this account", peer.account.lower(), now)
        _spend(self.address_recipients, "recipients from your address", peer.address, now)


def _spend(meter: Meter, what: str, key: str, now: float) -> None:
    wait = meter.take(key, now) if key else 0.0
    if wait:
        raise Refused(Reply.of(450, "4.7.1", f"Too many {what}; try again in {_minutes(wait)}"))


def _minutes(seconds: float) -> str:
    minutes = math.ceil(seconds / 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
