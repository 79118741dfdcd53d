"""The settings of submission: the ``[submission]`` of the configuration."""

from typing import Literal

from attrs import field, frozen

from mailnode.mail import domain
from mailnode.mail.quantity import Seconds

HOUR = 3600
DAY = 86400


@frozen
class SubmissionSettings:
    """Who may send as whom on submission listeners, how much, and what may be asked for."""

    sender_check: Literal["account", "domain", "none"] = "account"
    """Whose address the reverse-path of an account must be: its own (aliases to it and subaddresses too), one of its domain, or anybody's."""
    trust_networks: bool = True
    """Whether clients of node.trusted_networks may submit without an account; nothing is asked of their addresses then."""
    add_sender: bool = True
    """Add a Sender field with the account's address where From is not the account's (RFC 6409 section 8.1); never with sender_check = "none"."""
    default_domain: str = field(default="")
    """The domain of addresses that were written without one; empty: the account's, else the node's first domain."""
    max_recipients: int = field(default=0)
    """Recipients in one transaction on these listeners; 0: as many as session.max_recipients says."""
    account_messages: int = field(default=1000)
    """Messages of one account in an hour, all workers together; more are told 450 4.7.1 and when to try again. 0: no limit."""
    account_recipients: int = field(default=10_000)
    """Recipients of one account in an hour; 0: no limit."""
    address_messages: int = field(default=0)
    """Messages from one IP address in an hour, whatever accounts they bear; 0: no limit."""
    address_recipients: int = field(default=0)
    """Recipients from one IP address in an hour; 0: no limit."""
    rate_period: Seconds = field(default=Seconds(HOUR))
    """The time that the four limits above are for."""
    max_hold: Seconds = Seconds(30 * DAY)
    """For how long a message may be held before it is sent (FUTURERELEASE, RFC 4865); "0s" does not offer it."""
    deliver_by: bool = True
    """Offer DELIVERBY (RFC 2852): a time by which the message is to be delivered, or is returned."""
    priority: bool = True
    """Offer MT-PRIORITY (RFC 6710): what is sent first when not all can be sent at once."""

    @max_recipients.validator
    @account_messages.validator
    @account_recipients.validator
    @address_messages.validator
    @address_recipients.validator
    def _check_number(self, _: object, value: int) -> None:
        if value < 0:
            raise ValueError(f"expected 0 or more, not {value}")

    @default_domain.validator
    def _check_domain(self, _: object, value: str) -> None:
        if value:
            domain.check(value)

    @rate_period.validator
    def _check_period(self, _: object, value: Seconds) -> None:
        if value <= 0:
            raise ValueError('expected a time such as "1h" or "1m", longer than nothing')
