"""The originator: mail of people and programs comes into the mail system here (RFC 6409).

Every way in ends at this door: submission listeners, the ``mailnode`` command, the sendmail twin and a call from Python. In
this order it asks

1. who it is: an account, or a client of the trusted networks where the settings let that suffice (530 else);
2. whether the reverse-path is the account's (553 5.7.1);
3. whether it has sent too much (450 4.7.1, and when to try again);
4. what was wished for the delivery: for how long to hold it, when it must be there, how urgent it is.

Then the content is completed on its way in (``originator_completing``) and goes the way of all messages.
"""

from collections.abc import Sequence
from email.utils import formatdate

from attrs import evolve, frozen

from mailnode.interfaces import Refused, Transaction
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.completion import Completion, Field, addresses_in, fields_of, resent_prefix
from mailnode.mail.envelope import Envelope
from mailnode.mail.message import Peer
from mailnode.mail.queueid import new_queue_id
from mailnode.mail.wishes import HOLD_FOR, HOLD_UNTIL, moment_text, released_at, with_wish
from mailnode.roles.house import House
from mailnode.roles.originator_addresses import qualified
from mailnode.roles.originator_completing import CompletingTransaction
from mailnode.roles.originator_identity import Identity, account_of
from mailnode.roles.originator_limits import Limits
from mailnode.roles.originator_settings import SubmissionSettings
from mailnode.roles.transaction import InboundTransaction
from mailnode.smtp import replies
from mailnode.smtp.future_release import too_long


@frozen
class Originator:
    """Opens transactions for new mail."""

    house: House
    settings: SubmissionSettings
    limits: Limits

    async def begin(self, peer: Peer, envelope: Envelope, *, is_trusted: bool) -> Transaction:
        """Open a transaction for MAIL; the envelope has no recipients yet. Raises Refused."""
        if not (peer.account or peer.user or (is_trusted and self.settings.trust_networks)):
            raise Refused(replies.AUTHENTICATION_REQUIRED)
        account = account_of(peer)
        domain = self.settings.default_domain or account.domain or self.house.router.home
        sent = evolve(envelope, reverse_path=qualified(envelope.reverse_path, domain))
        identity = Identity(self.house.router, self.settings)
        await identity.check(peer, sent.reverse_path)
        now = self.house.clock.seconds()
        sent = self._held(sent, now)
        self.limits.message(peer, now)

        async def complete(start: bytes) -> Completion:
            fields = fields_of(start)
            sender = await self._sender(identity, fields, account, sent.reverse_path)
            return self._completion(account, sent.reverse_path, domain, sender)

        return CompletingTransaction(
            InboundTransaction(self.house, peer, sent, may_relay=True),
            complete,
            domain=domain,
            count=lambda: self.limits.recipient(peer, self.house.clock.seconds()),
        )

    def _held(self, envelope: Envelope, now: float) -> Envelope:
        """Turn HOLDFOR into the moment of release, and check that it is not too far ahead; what is past is forgotten."""
        asked = dict(envelope.extra)
        if HOLD_FOR in asked:
            # Up to the next whole second: never before the time.
            until = moment_text(now + int(asked[HOLD_FOR]) + 0.999)
            return with_wish(with_wish(envelope, HOLD_FOR, ""), HOLD_UNTIL, until)
        if HOLD_UNTIL not in asked:
            return envelope
        until_moment = released_at(envelope)
        if until_moment > now + self.settings.max_hold + 1:
            raise Refused(too_long(int(self.settings.max_hold)))
        return envelope if until_moment > now else with_wish(envelope, HOLD_UNTIL, "")

    def _completion(self, account: Mailbox, reverse_path: Mailbox, domain: str, sender: Mailbox) -> Completion:
        house = self.house
        now = house.clock.seconds()
        # A name without a dot is no host's alone, and the Message-ID is to be the world's only one.
        right = house.hostname if "." in house.hostname or not domain else Mailbox("", domain).ascii_domain
        author = next((one for one in (reverse_path, account) if one != NULL), Mailbox("MAILER-DAEMON", domain))
        return Completion(
            date=formatdate(now, localtime=True),
            message_id=f"<{new_queue_id(now, house.random)}@{right}>",
            author=author,
            domain=domain,
            sender=sender,
        )

    async def _sender(
        self, identity: Identity, fields: Sequence[Field], account: Mailbox, reverse_path: Mailbox
    ) -> Mailbox:
        """Choose who Sender says it is; NULL when nothing is to be said.

        It is needed for several authors (RFC 5322 section 3.6.2), and wanted where From is not the account's.
        """
        prefix = resent_prefix(fields)
        authors = addresses_in(fields, prefix + b"from")
        named = addresses_in(fields, prefix + b"sender")
        own = reverse_path if reverse_path != NULL else account
        if len(authors) > 1 and not named:
            return own
        if account == NULL or not self.settings.add_sender or self.settings.sender_check == "none" or not authors:
            return NULL
        for group in (authors, named):
            if group and all([await identity.belongs(one, account) for one in group]):
                return NULL
        return own
