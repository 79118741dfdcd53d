"""How a session with a next hop is protected, and that none came about."""

from attrs import field, frozen
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from mailnode.mail.reply import Reply


class Unavailable(Exception):  # noqa: N818 - it is an answer, not an error
    """No session came about with this host."""

    def __init__(self, reply: Reply, *, is_ours: bool, is_reached: bool) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.is_ours = is_ours
        """The words are ours, not the host's."""
        self.is_reached = is_reached
        """The host accepted a connection."""


class NoTls(Unavailable):
    """A TLS handshake did not come to its end."""


@frozen
class Security:
    """What is known of a session's safety."""

    text: str = ""
    """TLS version and cipher; empty in clear text."""
    trouble: str = "there is no TLS"
    """Why the peer is not known for certain; empty when its certificate is good."""
    is_local: bool = False
    """It does not leave this host."""
    binding: tuple[str, bytes] | None = field(default=None, repr=False)
    """What ties an authentication to its TLS channel (RFC 9266)."""
    is_own: bool = True
    """It is as safe as its lane wants; else it was opened for one message and is not kept."""

    def __str__(self) -> str:
        """Say it for logs and reports; empty in clear text."""
        return f"{self.text} {'unverified' if self.trouble else 'verified'}" if self.text else ""


def reason_of(failure: Failure) -> str:
    """Say why a handshake has ended, in a few words."""
    if failure.check(ConnectionDone, ConnectionLost):
        return "it closed the connection"
    from mailnode.certificates.reading import words_of  # noqa: PLC0415 - loads OpenSSL, which is there by now

    return words_of(failure.value or ConnectionLost())
