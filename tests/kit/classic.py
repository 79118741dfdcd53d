"""The host foo.example of the classic dialogues, twice: as settings for a node, and as a node in memory.

Who lives there: crispin (at a terminal that takes messages), jones, brown, green (nobody of them at a terminal), fred (moved, mail is
sent on), paul (moved, and that is told), the list example-people, the alias away, and kim, who is known at two domains.
"""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from random import Random

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from mailnode.accounts.memory import MemoryDirectory
from mailnode.couriers.terminal import NOT_ACTIVE, SHOWN
from mailnode.interfaces import SpoolTrouble
from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest, Message, NewEntry
from mailnode.mail.outcome import Delivered, Outcome
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.reply import Reply
from mailnode.roles.house import House, ReceptionSettings
from mailnode.roles.reception import MailReception, trust_in
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from mailnode.sessions.admission import Admission
from mailnode.sessions.factory import ReceiverFactory
from mailnode.sessions.settings import SessionSettings
from mailnode.sessions.verbose import answer_verb
from mailnode.smtp.classic import classic_extensions
from mailnode.smtp.extensions import Extension, standard_extensions
from mailnode.smtp.settings import ServerSettings
from tests.kit.results import InlineDisk

ACCOUNTS = ("crispin", "jones", "brown", "green", "kim")
MOVED = {"fred": "fred@usc.example", "paul": "tell paul@usc.example"}
PEOPLE = ("jones@foo.example", "brown@foo.example", "smith@xyz.example")
MAX_RECIPIENTS = 4
MAX_SIZE = 10_000


def settings_text(*, login: str, utmp: Path, hop: int) -> str:
    """Write the configuration of a node that is this host; mail for elsewhere goes to the port ``hop`` of this machine."""
    people = ", ".join(f'"{member}"' for member in PEOPLE)
    moved = "".join(f'{name} = "{to}"\n' for name, to in MOVED.items())
    return f"""
[node]
hostname = "foo.example"
data = "{{data}}"
[[listener]]
endpoint = "tcp:{{port:mx}}:interface=127.0.0.1"
[[listener]]
name = "stranger"
endpoint = "tcp:{{port:stranger}}:interface=127.0.0.1"
[[domain]]
name = "foo.example"
[domain.aliases]
away = ["someone@xyz.example"]
example-people = [{people}]
[domain.moved]
{moved}
[[domain]]
name = "bar.example"
[[route]]
match = "*"
next_hop = "[127.0.0.1]:{hop}"
[session]
max_recipients = {MAX_RECIPIENTS}
[reception]
max_size = "10 kB"
verbose = true
[terminal]
enabled = true
utmp = "{utmp}"
sessions = ""
[terminal.users]
"crispin@foo.example" = "{login}"
"""


class Mailboxes:
    """A courier that delivers, or says what the test wants, by local part."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.says: dict[str, Outcome] = {}

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Deliver."""
        self.messages.append(request.message.content.read())
        fine = Delivered(Reply.of(250, "2.0.0", "Delivered"))
        return {one: self.says.get(one.forward_path.local_part, fine) for one in request.message.envelope.recipients}

    async def close(self) -> None:
        """Nothing is open."""


class Entries:
    """A queue that keeps what it gets, or has trouble."""

    def __init__(self) -> None:
        self.entries: list[NewEntry] = []
        self.trouble: SpoolTrouble | None = None

    async def submit(self, entry: NewEntry) -> None:
        """Keep it."""
        if self.trouble is not None:
            raise self.trouble
        self.entries.append(entry)

    def wake(self) -> None:
        """Nothing to wake."""

    def recall(self, is_meant: Callable[..., bool]) -> None:
        """Nothing to recall."""


class Screens:
    """Terminals in memory: who is active, and what they were shown."""

    is_open_to_all = False

    def __init__(self, *active: str) -> None:
        self.active = {parse_mailbox(address) for address in active}
        self.gone: set[Mailbox] = set()
        """Active at RCPT, and no more at the final dot."""
        self.shown: list[tuple[str, bytes]] = []
        self.breaks = False

    async def accepts(self, mailbox: Mailbox) -> bool:
        """Tell who is active."""
        return mailbox in self.active

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Show it."""
        if self.breaks:
            raise ZeroDivisionError
        said: dict[Recipient, Outcome] = {}
        for one in request.message.envelope.recipients:
            is_here = one.forward_path in self.active - self.gone
            said[one] = SHOWN if is_here else NOT_ACTIVE
            if is_here:
                self.shown.append((str(one.forward_path), request.message.content.read()))
        return said


class Host:
    """foo.example in memory, with everything behind the door in sight."""

    def __init__(
        self,
        folder: Path,
        *,
        reception: ReceptionSettings | None = None,
        service: str = "smtp",
        extensions: Sequence[Extension] = (),
    ) -> None:
        self.mailboxes = Mailboxes()
        self.queue = Entries()
        self.screens = Screens("crispin@foo.example")
        self.clock = Clock()
        names = [Mailbox(name, "foo.example") for name in ACCOUNTS]
        directory = MemoryDirectory([*names, Mailbox("kim", "bar.example")], {names[0]: "Mark Crispin"})
        foo = DomainSettings(
            "foo.example", moved=MOVED, aliases={"away": ("someone@xyz.example",), "example-people": PEOPLE}
        )
        self.router = TableRouter(
            hostname="foo.example", domains=[foo, DomainSettings("bar.example")], routes=[], directory=directory
        )
        settings = reception or ReceptionSettings(verbose=True, max_size=Octets(MAX_SIZE))
        self.house = House(
            hostname="foo.example", router=self.router, queue=self.queue, couriers={"maildir": self.mailboxes},
            disk=InlineDisk(), clock=self.clock, random=Random(1), incoming=folder, settings=settings,
            give_up=lambda path: Seconds(60 if path == NULL else 3600), report_expansion=_no_report,
            directory=directory, terminals=self.screens,
        )  # fmt: skip
        networks = ("127.0.0.0/8",)
        self.reception = MailReception(self.house, tuple(map(ip_network, networks)))
        session = SessionSettings(max_recipients=MAX_RECIPIENTS, max_errors=1000)
        offered = ServerSettings(max_size=settings.max_size, max_recipients=MAX_RECIPIENTS)
        is_lmtp = service == "lmtp"
        self.receivers = ReceiverFactory(
            name="mx", service=service, hostname="foo.example", reception=self.reception, admission=Admission(session),
            is_trusted=trust_in(map(ip_network, networks)), clock=self.clock, settings=session,
            max_size=settings.max_size, verbs={"VERB": answer_verb},
            extensions=(
                *standard_extensions(offered),
                *classic_extensions(expands=True, sends=not is_lmtp, is_verbose=not is_lmtp),
                *extensions,
            ),
        )  # fmt: skip

    def call(self, address: str = "127.0.0.1") -> "Call":
        """Let a client in; those from 127.0.0.1 are trusted."""
        return Call(self, address)


class Call:
    """One session, from the client's end."""

    def __init__(self, host: Host, address: str) -> None:
        self.line = StringTransportWithDisconnection()
        self.line.abortConnection = self.line.loseConnection  # type: ignore[method-assign]
        self.receiver = host.receivers.buildProtocol(IPv4Address("TCP", address, 4000))
        self.line.protocol = self.receiver
        self.receiver.makeConnection(self.line)
        self.greeting = self._said()

    def say(self, octets: bytes) -> bytes:
        """Send octets and give what is said at once."""
        self.receiver.dataReceived(octets)
        return self._said()

    def reply(self, text: str) -> str:
        """Send lines and give the last line that is said."""
        said = self.say(text.replace("\n", "\r\n").encode() + b"\r\n")
        return said.decode().split("\r\n")[-2] if said else ""

    def _said(self) -> bytes:
        said: bytes = self.line.value()
        self.line.clear()
        return said


async def _no_report(_message: Message, _recipients: Sequence[Recipient]) -> list[NewEntry]:
    return []
