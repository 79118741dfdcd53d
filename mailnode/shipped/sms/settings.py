"""How a bind is made, kept and paced: values that the gateway makes of its settings."""

from attrs import field, frozen

from mailnode.shipped.sms.pdu import BindTransceiver


@frozen
class Pace:
    """The bounds of one bind; times in seconds."""

    window: int = 10
    """Requests that wait for their answers at the same time."""
    answer: float = 30.0
    """How long to wait for an answer; then the connection is given up."""
    enquire: float = 30.0
    """After how long a silence enquire_link asks whether the SMSC is there."""
    per_second: float = 0.0
    """Parts a second; 0 is any number."""
    hold: float = 30.0
    """For how long nothing is sent once the SMSC has said that it is too much."""


@frozen
class Access:
    """Whose bind it is."""

    system_id: str
    system_type: str = ""
    password: str = field(default="", repr=False)

    def bind(self) -> BindTransceiver:
        """Write the request."""
        return BindTransceiver(self.system_id, self.password, self.system_type)
