"""Settings of the originator."""

from typing import Literal

from attrs import frozen

from mailnode.mail.quantity import Seconds


@frozen
class OriginatorSettings:
    """How programs on this machine hand mail over."""

    local_users: Literal["all", "none"] = "all"
    """Who may use sendmail and the Python call: all users of this machine, or none but who may read the data folder."""
    max_messages: int = 600
    """Messages that one local user may hand over in an hour, root excepted; 0 for any number. More wait in the maildrop."""
    max_sessions: int = 50
    """Connections to the submit socket at the same time, of one local user."""
    pickup_interval: Seconds = Seconds(5)
    """How often the maildrop is looked into while the node runs; it is where mail waits that came while it did not."""
