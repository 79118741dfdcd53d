"""One try of one message: who is still to be served, what has been heard, and when another host is worth a try.

=====================================================  ================================================================
what happened                                          what becomes of the recipient
=====================================================  ================================================================
no session, 4yz to MAIL, RCPT or DATA,                 the next host; Delayed when there is none left
connection lost before the end of data
452 or 552 "too many recipients" to RCPT               the next transaction with this host (RFC 5321 4.5.3.1.10)
no host keeps what the message requires (REQUIRETLS)   Failed, unless some host could not be reached: then Delayed
5yz to MAIL, RCPT or DATA, to the end of data          Failed: another host would say the same
4yz to the end of data, or no answer to it             Delayed: the host may even have taken the message
2yz to the end of data                                 Relayed or Delivered
=====================================================  ================================================================
"""

from collections.abc import Iterable, Sequence

from attrs import evolve

from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Delayed, Delivered, Failed, Outcome, Relayed, outcome_of
from mailnode.mail.reply import Reply, Status
from mailnode.smtp.clientevents import Answer, Stage

_TOO_MANY = frozenset({None, Status(4, 5, 3), Status(5, 5, 3)})
"""With these (or no) status, 452 and 552 to RCPT mean the number of recipients and not a full mailbox."""


class Carriage:
    """The recipients of one request on their way to their outcomes."""

    def __init__(self, request: DeliveryRequest, *, is_final: bool) -> None:
        self.request = request
        self.outcomes: dict[Recipient, Outcome] = {}
        self.here: list[Recipient] = []
        """Those who are still to be tried at this host."""
        self.tried: set[str] = set()
        """Hosts that have had their say."""
        self._is_final = is_final
        """The next hop puts messages into mailboxes (LMTP): success is Delivered."""
        self._waiting = dict.fromkeys(request.message.envelope.recipients)
        self._heard: dict[Recipient, Delayed] = {}
        self._host_trouble: Outcome | None = None
        self._had_session = False
        self._passes_by = True
        self._tls = ""
        self._unfit: Failed | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether every recipient has its outcome."""
        return not self._waiting

    def arrive(self, host: str) -> None:
        """Come to a host with all that is left."""
        self.here = list(self._waiting)
        self.tried.add(host)

    def note_session(self) -> None:
        """Note that a host took mail from us at all."""
        self._had_session = True

    def settle(self, recipient: Recipient, outcome: Outcome) -> None:
        """Give a recipient its outcome."""
        self.outcomes[recipient] = outcome
        del self._waiting[recipient]

    def hear(
        self,
        batch: Sequence[Recipient],
        answers: Iterable[Answer],
        remote: str,
        *,
        passes_dsn: bool,
        passes_by: bool = True,
        tls: str = "",
    ) -> None:
        """Note the answers to one transaction; ``tls`` says what protected it."""
        self._passes_by = passes_by
        self._tls = tls
        again: list[Recipient] = []
        has_accepted = False
        for recipient, answer in zip(batch, answers, strict=True):
            if has_accepted and _is_too_many(answer):
                again.append(recipient)
                continue
            has_accepted = has_accepted or answer.stage > Stage.RCPT
            self._hear_one(recipient, answer, remote, passes_dsn=passes_dsn)
        self.here[:0] = again

    def _hear_one(self, recipient: Recipient, answer: Answer, remote: str, *, passes_dsn: bool) -> None:
        remote = "" if answer.is_ours else remote
        outcome: Outcome = outcome_of(answer.reply, remote)
        if self._tls:
            outcome = evolve(outcome, tls=self._tls)
        if isinstance(outcome, Delayed) and answer.stage < Stage.DOT:
            self._heard[recipient] = outcome
        elif answer.reply.is_positive:
            if self._is_final:
                self.settle(recipient, Delivered(answer.reply, remote, passes_dsn=passes_dsn, tls=self._tls))
            else:
                self.settle(recipient, Relayed(answer.reply, remote, passes_dsn, self._passes_by, tls=self._tls))
        else:
            self.settle(recipient, outcome)

    def refuse(self, reply: Reply) -> None:
        """Give all that are left the same outcome, in words of ours."""
        for recipient in list(self._waiting):
            self.settle(recipient, outcome_of(reply))
        self.here = []

    def note_trouble(self, reply: Reply, remote: str) -> None:
        """Note why no session came about with a host; the last such note counts."""
        self._host_trouble = outcome_of(reply, remote)

    def note_unfit(self, reply: Reply) -> None:
        """Note that a host must not have this message, however willing it is; another one may."""
        self._unfit = Failed(reply)
        self.here = []

    def give_up(self) -> None:
        """Settle those who are left: there is no host left to try."""
        for recipient in list(self._waiting):
            self.settle(recipient, self._heard.get(recipient) or self._verdict())

    def _verdict(self) -> Outcome:
        trouble = self._host_trouble
        if trouble is None:
            return self._unfit or Delayed(Reply.of(451, "4.4.2", "No next hop had time for this recipient"))
        if isinstance(trouble, Failed):
            return trouble
        return Delayed(trouble.reply, trouble.remote, host_unreachable=not self._had_session)


def _is_too_many(answer: Answer) -> bool:
    return answer.stage is Stage.RCPT and answer.reply.code in (452, 552) and answer.reply.status in _TOO_MANY
