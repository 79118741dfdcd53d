"""What can be set for each list: ``[gateway.NAME.lists.LIST]``."""

from typing import Any, Literal

from attrs import field, frozen

from mailnode.gateways.api import Octets, Seconds, parse_mailbox, parse_rate

DAY = 86400.0


def _check_addresses(_: object, __: object, value: tuple[str, ...]) -> None:
    for address in value:
        parse_mailbox(address)


def _check_positive(_: object, attribute: Any, value: float) -> None:
    if value <= 0:
        raise ValueError(f"expected more than 0 for {attribute.name}, not {value}")


def check_rate(_: object, __: object, value: str) -> None:
    """Refuse what is no rate."""
    parse_rate(value)


def _check_address(_: object, __: object, value: str) -> None:
    if value:
        parse_mailbox(value)


@frozen
class ListSettings:
    """One list."""

    description: str = ""
    """What it is about, in a few words; stands in List-Id."""
    owners: tuple[str, ...] = field(default=(), validator=_check_addresses)
    """Who decides on posts, may send who, add and remove, and is told of trouble."""
    members: tuple[str, ...] = field(default=(), validator=_check_addresses)
    """Members by setting: there from the start, until they leave by themselves or no longer stand here."""
    members_file: str = ""
    """A file with one such address a line; read at the start."""
    address: str = field(default="", validator=_check_address)
    """Where members post, if that is an alias of NAME@ in another domain; stands in List-Post. Empty: NAME@ itself."""
    post: Literal["members", "anyone", "moderated"] = "members"
    """Who may post: members and owners, anyone, or anyone once an owner has approved it."""
    strangers: Literal["reject", "hold", "drop"] = "reject"
    """What happens to a stranger's post where only members may post; hold: an owner decides."""
    subject_prefix: str = ""
    """Put before subjects that do not have it, such as "[news]". It breaks DKIM signatures of authors."""
    reply_to: Literal["unchanged", "author", "list"] = "unchanged"
    """Where answers go; author: a Reply-To with the author where there is none; list: always to the list."""
    max_size: Octets = Octets(1024 * 1024)
    """A larger post is returned."""
    archive: bool = True
    """Whether posts are kept as mbox files."""
    archive_url: str = ""
    """Where the archive can be read; stands in List-Archive."""
    confirm_within: Seconds = field(default=Seconds(3 * DAY), validator=_check_positive)
    """How long a confirmation can be answered."""
    hold_for: Seconds = field(default=Seconds(14 * DAY), validator=_check_positive)
    """How long a post waits for the owners before it is forgotten."""
    bounce_threshold: float = field(default=4.0, validator=_check_positive)
    """The score at which a member gets no more copies: a permanent failure counts 1, a temporary one 0.25."""
    bounce_half_life: Seconds = field(default=Seconds(14 * DAY), validator=_check_positive)
    """After how long half of a score is forgiven."""
    bounce_every: Seconds = Seconds(DAY)
    """Of the bounces of one member within this time only one counts."""
    answers_per_address: str = field(default="5/d", validator=check_rate)
    """How many answers one address gets; more requests are passed over in silence."""
    answers: str = field(default="200/h", validator=check_rate)
    """How many answers the list sends in all."""
