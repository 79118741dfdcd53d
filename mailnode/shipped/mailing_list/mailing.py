"""One list at work: what all its parts share, and how it speaks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field

from mailnode.gateways.api import Draft, GatewayNode, OutgoingMessage, OutgoingRecipient, Rates, Refused, parse_rate
from mailnode.shipped.mailing_list.fields import addresses_in, line, phrase
from mailnode.shipped.mailing_list.names import POST, Place
from mailnode.shipped.mailing_list.settings import ListSettings
from mailnode.shipped.mailing_list.store import Store
from mailnode.shipped.mailing_list.tickets import Tickets

DAY = 86400.0
HOUR = 3600.0


@define
class Mailing:
    """A list."""

    name: str
    domain: str
    settings: ListSettings
    base_url: str
    node: GatewayNode
    store: Store
    tickets: Tickets
    _each: Rates = field(init=False)
    _all: Rates = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the bounds on answers."""
        self._each = Rates(parse_rate(self.settings.answers_per_address), burst=DAY, most=10_000)
        self._all = Rates(parse_rate(self.settings.answers), burst=HOUR)

    def address(self, role: str = POST, token: str = "") -> str:
        """Give one of its addresses."""
        return f"{Place(self.name, role, token).local_part}@{self.domain}"

    @property
    def posts_to(self) -> str:
        """Give the address that members write to."""
        return self.settings.address or self.address()

    @property
    def list_id(self) -> str:
        """Give its identifier (RFC 2919)."""
        return f"{self.name}.{self.domain}"

    @property
    def words(self) -> Mapping[str, str]:
        """Give what its texts may name."""
        about = f": {self.settings.description}" if self.settings.description else ""
        addresses = {role: self.address(role) for role in ("subscribe", "unsubscribe", "request", "help", "owner")}
        return {"name": self.name, "address": self.posts_to, "about": about, **addresses}

    def is_owner(self, address: str) -> bool:
        """Tell whether this is an owner's address."""
        return address.lower() in {one.lower() for one in self.settings.owners}

    @property
    def archive(self) -> Path:
        """Give the folder of its archive."""
        return self.node.folder / "archive" / self.name

    # --- fields of RFC 2369, RFC 2919 and RFC 8058

    def fields(self) -> list[bytes]:
        """Give the fields that all copies have."""
        settings = self.settings
        made = [
            line("List-Id", f"{phrase(settings.description)}<{self.list_id}>"),
            line("List-Post", f"<mailto:{self.posts_to}>"),
            line("List-Help", f"<mailto:{self.address('help')}>"),
            line("List-Subscribe", f"<mailto:{self.address('subscribe')}>"),
            line("List-Owner", f"<mailto:{self.address('owner')}>"),
        ]
        if settings.archive_url:
            made.append(line("List-Archive", f"<{settings.archive_url}>"))
        return [*made, line("Precedence", "list")]

    def fields_of(self, number: int) -> list[bytes]:
        """Give the fields that only one member's copy has."""
        token = self.tickets.for_member("unsubscribe", number)
        by_mail = f"<mailto:{self.address('unsubscribe', token)}>"
        if not self.base_url:
            return [line("List-Unsubscribe", by_mail)]
        by_web = f"<{self.base_url}/unsubscribe/{self.name}/{token}>"
        return [
            line("List-Unsubscribe", f"{by_web}, {by_mail}"),
            line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]

    # --- what it says

    async def answer(  # noqa: PLR0917 - who, what, and because of what
        self,
        to: str,
        said: tuple[str, str],
        words: Mapping[str, str],
        asked: OutgoingMessage,
        key: str,
        sender: str = "",
    ) -> None:
        """Answer somebody, if he has not had too many answers; never a machine. ``key`` makes a repetition harmless."""
        now = self.node.clock.seconds()
        if is_machine(asked) or not (self._each.takes(to.lower(), now) and self._all.takes("", now)):
            self.node.log.info(
                "{queue_id}: list {list} does not answer", event="list", queue_id=asked.queue_id, list=self.name
            )
            return
        await self.write(to, said, words, key, sender=sender, asked=asked)

    async def tell_owners(self, said: tuple[str, str], words: Mapping[str, str], key: str) -> None:
        """Write to each owner."""
        for number, owner in enumerate(self.settings.owners):
            await self.write(owner, said, words, f"{key} {number}")

    async def write(
        self,
        to: str,
        said: tuple[str, str],
        words: Mapping[str, str],
        key: str,
        *,
        sender: str = "",
        asked: OutgoingMessage | None = None,
    ) -> None:
        """Send words of the list; what is refused for good is only noted."""
        subject, text = (one.format(**self.words, **words) for one in said)
        draft = Draft(
            sender or self.address("request"), [to], text, subject=subject, sender_name=f"list {self.name}",
            in_reply_to=str(asked.header.get("Message-ID", "")) if asked is not None else "",
            extra=(
                ("Auto-Submitted", "auto-replied" if asked is not None else "auto-generated"),
                ("List-Id", f"<{self.list_id}>"),
            ),
        )  # fmt: skip
        try:
            await self.node.submit(draft, sender="", protocol="LIST", key=key, mark=asked.mark if asked else "")
        except Refused as refused:
            if refused.reply.is_transient:
                raise
            self.node.log.warn(  # noqa: G010 - the method of twisted.logger
                "list {list} cannot write to <{to}>: {reply}", event="list", list=self.name, to=to,
                reply=str(refused.reply),
            )  # fmt: skip


def is_machine(message: OutgoingMessage) -> bool:
    """Tell whether no person wrote it: then it is not answered (RFC 3834 section 2)."""
    header = message.header
    word = str(header.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    bulk = str(header.get("Precedence", "")).strip().lower() in ("bulk", "junk", "list")
    return not message.sender.domain or word != "no" or bulk or "List-Id" in header


def author_of(message: OutgoingMessage) -> str:
    """Give the address in From; the reverse-path where there is none, empty when there are several."""
    found = addresses_in(message.header, "From")
    if len(found) > 1:
        return ""
    return found[0] if found else str(message.sender) if message.sender.domain else ""


def key_of(one: OutgoingRecipient, word: str) -> str:
    """Give the key of something that is sent because of a message."""
    return f"{one.key} {word}"


def candidates(message: OutgoingMessage, subject: str) -> Sequence[str]:
    """Give the addresses that the answer to a question may be about: its author, and who stands in its subject."""
    named = [word.strip("<>,;:()[]\"'") for word in subject.split()[:20] if "@" in word]
    return list(dict.fromkeys([*named, author_of(message), str(message.sender)]))
