"""What a session with a next hop waits for at each stage, in words, and for how long at most.

The stages are those of ``smtp.ClientConnection``; the limits are the settings (RFC 5321 section 4.5.3.2). A stage that is
missing in one of the tables would be found by a peer, so the tables stand beside each other.
"""

from mailnode.couriers.smtp_settings import SmtpTimes
from mailnode.smtp.clientevents import Stage

WAITING_FOR = {
    Stage.GREETING: "its greeting",
    Stage.HELLO: "its answer to our greeting",
    Stage.IDLE: "nothing",
    Stage.RESET: "its answer to RSET",
    Stage.MAIL: "its answer to MAIL",
    Stage.RCPT: "its answer to RCPT",
    Stage.DATA: "its answer to DATA",
    Stage.CONTENT: "it to take the content",
    Stage.DOT: "its answer to the end of data",
    Stage.QUIT: "its goodbye",
    Stage.STARTTLS: "its answer to STARTTLS",
    Stage.TLS: "the TLS handshake",
    Stage.AUTH: "its answer to AUTH",
}
"""The end of "closed the connection while we waited for"."""


def times_of(times: SmtpTimes) -> dict[Stage, float]:
    """Give the time limit of each stage in seconds."""
    return {
        Stage.GREETING: times.greeting,
        Stage.HELLO: times.hello,
        Stage.IDLE: times.idle,
        Stage.RESET: times.mail,
        Stage.MAIL: times.mail,
        Stage.RCPT: times.rcpt,
        Stage.DATA: times.data,
        Stage.CONTENT: times.block,
        Stage.DOT: times.dot,
        Stage.QUIT: times.quit,
        Stage.STARTTLS: times.tls,
        Stage.TLS: times.tls,
        Stage.AUTH: times.auth,
    }
