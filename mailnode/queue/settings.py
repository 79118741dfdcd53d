"""The settings of the queue: the ``[queue]`` of the configuration."""

from attrs import field, frozen

from mailnode.mail.quantity import Octets, Seconds

MINUTE = 60
HOUR = 3600
DAY = 86400


@frozen
class QueueSettings:
    """When to try again, when to give up, and how much at once."""

    retry: tuple[Seconds, ...] = field(
        default=tuple(map(Seconds, (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)))
    )
    """How long to wait after the first failed attempt, the second, and so on; the last repeats (RFC 5321 4.5.4.1)."""
    jitter: float = field(default=0.1)
    """Each wait is longer or shorter by up to this part of it, so that what failed together does not return together."""
    warn_after: Seconds = Seconds(4 * HOUR)
    """After how long a sender is told, once, that the message is delayed; "0s": never."""
    give_up: Seconds = Seconds(5 * DAY)
    """After how long a message is returned to its sender (RFC 5321 section 4.5.4.1 says 4 to 5 days)."""
    bounce_give_up: Seconds = Seconds(DAY)
    """After how long a notification (null reverse-path) is dropped."""
    concurrency: int = field(default=500)
    """Attempts at the same time, in all."""
    lane_initial: int = 2
    """Attempts at the same time to one next hop in the beginning; each success allows one more."""
    lane_maximum: int = field(default=20)
    """Attempts at the same time to one next hop at most."""
    recipients_per_request: int = field(default=100)
    """Recipients of one message that one attempt carries together (RFC 5321 section 4.5.3.1.8: any server takes 100)."""
    attempt_limit: Seconds = Seconds(HOUR)
    """How long one attempt may take; a large message over a slow line needs long."""
    lease: Seconds = field(default=Seconds(2 * HOUR))
    """How long what is in memory stays out of the reach of other workers; longer than ``attempt_limit``."""
    active_recipients: int = 20_000
    """Recipients in memory, in all lanes."""
    lane_recipients: int = 2000
    """Recipients in memory for one next hop at full speed; fewer in proportion while it is slower."""
    active_content: Octets = Octets(64 * 1024 * 1024)
    """Octets of content in memory; an eighth of it for one next hop."""
    claim_batch: int = field(default=200)
    """Recipients read from the spool at a time."""
    dead_after: int = 2
    """Attempts in a row that could not reach a next hop, after which it counts as dead."""
    rest_minimum: Seconds = Seconds(MINUTE)
    """How long a dead next hop is left alone at first; doubled each time it is still dead."""
    rest_maximum: Seconds = Seconds(30 * MINUTE)
    """How long a dead next hop is left alone at most."""
    sweep: int = 5000
    """Recipients that are put off, each to its own next time, whenever their next hop is found still dead."""
    look_every: Seconds = Seconds(MINUTE)
    """How often to look into the spool when nothing is known to be due: other workers may have died."""
    return_limit: Octets = Octets(50 * 1024)
    """A failure notification gives the whole message back up to this size, and only its header above it."""

    @property
    def longest_wait(self) -> Seconds:
        """Give the longest time that anything waits for its next attempt."""
        return Seconds(max(*self.retry, self.rest_maximum) * (1 + self.jitter))

    @retry.validator
    def _check_retry(self, _: object, value: tuple[Seconds, ...]) -> None:
        if not value or min(value) <= 0:
            raise ValueError('expected one wait or more, such as ["5m", "1h"], each longer than nothing')

    @jitter.validator
    def _check_jitter(self, _: object, value: float) -> None:
        if not 0 <= value < 1:
            raise ValueError(f"expected a part between 0 and 1, not {value}")

    @concurrency.validator
    @lane_maximum.validator
    @recipients_per_request.validator
    @claim_batch.validator
    def _check_positive(self, _: object, value: int) -> None:
        if value < 1:
            raise ValueError(f"expected 1 or more, not {value}")

    @lease.validator
    def _check_lease(self, _: object, value: Seconds) -> None:
        if value <= self.attempt_limit:
            raise ValueError("the lease must be longer than attempt_limit, or an attempt could outlive it")
