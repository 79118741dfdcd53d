"""The relay: what becomes of recipients, and who is told."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from mailnode.interfaces import Courier, Router
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient, Return
from mailnode.mail.message import DeliveryRequest, Message, QueuedRecipient
from mailnode.mail.outcome import Delayed, Delivered, Expanded, Failed, Outcome, Relayed
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Lane, Refusal, Route, Routing
from mailnode.queue.attempt import Attempt
from mailnode.queue.settings import QueueSettings
from mailnode.queue.settling import Settled
from mailnode.roles.relay import RelayRole
from mailnode.roles.unrouted import UNROUTED, UnroutedCourier
from tests.kit.queueing import Bench
from tests.kit.results import InlineDisk, now

TODAY = 1_800_000_000.0
HOUR = 3600.0
ANN = Mailbox("ann", "sender.example")
BOB = Mailbox("bob", "good.example")
LANE = Lane("smtp", "good.example")
HOME = Lane("maildir")

OK = Reply.of(250, "2.0.0", "Ok")
DELIVERED = Delivered(OK)
RELAYED = Relayed(OK, "mx.good.example")
RELAYED_DSN = Relayed(OK, "mx.good.example", passes_dsn=True)
DELIVERED_DSN = Delivered(OK, "box.good.example", passes_dsn=True)
EXPANDED = Expanded(OK)
FAILED = Failed(Reply.of(550, "5.1.1", "No such user"), "mx.good.example")
DELAYED = Delayed(Reply.of(451, "4.2.1", "Busy"), "mx.good.example")
TEXT = b"From: ann@sender.example\r\nSubject: hello\r\n\r\nThe body.\r\n"


class TableRouter:
    """Routes by a table; what it does not know goes out by MX."""

    def __init__(self, table: dict[Mailbox, Routing] | None = None) -> None:
        self.table = table or {}

    async def route(self, forward_path: Mailbox) -> Routing:
        """Look it up."""
        return self.table.get(forward_path) or Route(Lane("smtp", forward_path.domain), forward_path)


def settle(
    *outcomes: Outcome,
    notify: Notify | tuple[Notify, ...] = Notify.UNSPECIFIED,
    age: float = 60,
    router: Router | None = None,
    warned: bool = False,
    content: Content | None = None,
    settings: QueueSettings | None = None,
    **envelope: Any,
) -> Settled:
    """Settle an attempt with these outcomes, one recipient each, made ``age`` seconds after the message arrived."""
    clock = Clock()
    clock.advance(TODAY)
    notifies = notify if isinstance(notify, tuple) else (notify,) * len(outcomes)
    queued = tuple(
        QueuedRecipient(key, Recipient(evolve(BOB, local_part=f"bob{key}"), wish), LANE, warned=warned)
        for key, wish in enumerate(notifies, 1)
    )
    sender = envelope.pop("reverse_path", ANN)
    message = Message("Qabout", Envelope(sender, **envelope), content or Content(TEXT), TODAY - age)
    role = RelayRole(
        router=router or TableRouter(),
        hostname="mx.example.org",
        settings=settings or QueueSettings(),
        clock=clock,
        random=Random(1),
        disk=InlineDisk(),
    )
    attempt = Attempt(message, LANE, queued, outcomes, TODAY - age + 5 * 86400, ended=TODAY)
    return now(role.settle(attempt))


def text_of(settled: Settled) -> str:
    """Give the only notice's octets as text."""
    ((entry, _),) = settled.notices
    return entry.message.content.read().decode()


S, F, D, N, U = Notify.SUCCESS, Notify.FAILURE, Notify.DELAY, Notify.NEVER, Notify.UNSPECIFIED
LATE = 5 * HOUR
EXPIRED = 6 * 86400.0


@pytest.mark.rfc("3461", "5.2")
@pytest.mark.rfc("3461", "4.1")
@pytest.mark.parametrize(
    ("outcome", "notify", "age", "action"),
    [
        (DELIVERED, U, 60, ""),
        (DELIVERED, F | D, 60, ""),
        (DELIVERED, N, 60, ""),
        (DELIVERED, S, 60, "delivered"),
        (RELAYED, U, 60, ""),
        (RELAYED, S, 60, "relayed"),
        (RELAYED, S | F, 60, "relayed"),
        (RELAYED_DSN, S, 60, ""),
        (DELIVERED_DSN, S, 60, ""),
        (EXPANDED, S, 60, "expanded"),
        (EXPANDED, U, 60, ""),
        (FAILED, U, 60, "failed"),
        (FAILED, F, 60, "failed"),
        (FAILED, S, 60, ""),
        (FAILED, D, 60, ""),
        (FAILED, N, 60, ""),
        (DELAYED, U, 60, ""),
        (DELAYED, U, LATE, "delayed"),
        (DELAYED, D, LATE, "delayed"),
        (DELAYED, S | F, LATE, ""),
        (DELAYED, N, LATE, ""),
        (DELAYED, U, EXPIRED, "failed"),
        (DELAYED, F, EXPIRED, "failed"),
        (DELAYED, D, EXPIRED, ""),
        (DELAYED, N, EXPIRED, ""),
    ],
)
@pytest.mark.parametrize("sender", [ANN, NULL])
def test_who_is_told(outcome: Outcome, notify: Notify, age: float, action: str, sender: Mailbox) -> None:
    """A report goes out exactly when NOTIFY and the outcome ask for one, and never to the null reverse-path."""
    settled = settle(outcome, notify=notify, age=age, reverse_path=sender)
    assert len(settled.settlements) == 1
    assert settled.settlements[0].done == (outcome is not DELAYED or age == EXPIRED)
    if not action or sender == NULL:
        assert not settled.notices
        return
    assert f"\r\nAction: {action}\r\n" in text_of(settled)
    ((entry, due),) = settled.notices
    assert due == TODAY
    assert entry.message.envelope == Envelope(NULL, (Recipient(ANN),))
    assert entry.routes == (Route(Lane("smtp", "sender.example"), ANN),)
    assert entry.expires == TODAY + 86400


def test_one_report_for_all_of_a_kind() -> None:
    """An attempt's failures share one report, its successes another."""
    settled = settle(FAILED, RELAYED, FAILED, DELIVERED, notify=(U, S, F, S))
    texts = [entry.message.content.read().decode() for entry, _ in settled.notices]
    assert [text.count("\r\nFinal-Recipient:") for text in texts] == [2, 2]
    assert [one.done for one in settled.settlements] == [True] * 4


def test_the_warning_is_given_once() -> None:
    """A delay is told once, and the settlement remembers it."""
    settled = settle(DELAYED, age=LATE)
    assert settled.settlements[0].warned
    assert "Will-Retry-Until:" in text_of(settled)
    assert not settle(DELAYED, age=LATE, warned=True).notices
    assert not settle(DELAYED, age=LATE, settings=QueueSettings(warn_after=0)).notices  # type: ignore[arg-type]


def test_delayed_is_due_again() -> None:
    """A delayed recipient is due after the first wait, give or take the jitter, with what was heard."""
    (settlement,) = settle(DELAYED).settlements
    assert TODAY + 270 <= settlement.due <= TODAY + 330
    assert settlement.last == DELAYED.reply
    assert settlement.last_remote == "mx.good.example"
    assert settlement.counts


@pytest.mark.rfc("3463", "3.5")
def test_giving_up_is_4_4_7() -> None:
    """When time is over the report says so, beside what the next hop said last."""
    text = text_of(settle(DELAYED, age=EXPIRED))
    assert "\r\nStatus: 4.4.7\r\n" in text
    assert "\r\nDiagnostic-Code: smtp; 451 4.2.1 Busy\r\n" in text


@pytest.mark.rfc("3461", "4.3")
def test_what_is_given_back() -> None:
    """A failure gives all of a small message back unless RET=HDRS; a large one's and a success's header only."""
    large = QueueSettings(return_limit=10)  # type: ignore[arg-type]
    assert "The body." in text_of(settle(FAILED))
    assert "The body." in text_of(settle(FAILED, returns=Return.FULL))
    for settled in (
        settle(FAILED, returns=Return.HEADERS),
        settle(FAILED, settings=large),
        settle(DELIVERED, notify=S, returns=Return.FULL),
        settle(DELAYED, age=LATE),
    ):
        assert "The body." not in text_of(settled)
        assert "Subject: hello" in text_of(settled)


def test_a_lost_content_does_not_stop_the_bounce(tmp_path: Path) -> None:
    """When the content cannot be read, the sender is told all the same."""
    settled = settle(FAILED, content=Content(b"", tmp_path / "gone", 10))
    assert "Action: failed" in text_of(settled)
    assert settled.settlements[0].done


def test_content_of_a_file(tmp_path: Path) -> None:
    """What lies in a file is read for the report."""
    path = tmp_path / "content"
    path.write_bytes(TEXT)
    assert "The body." in text_of(settle(FAILED, content=Content(b"Received: here\r\n", path, len(TEXT))))


def test_reports_follow_aliases() -> None:
    """A sender that is an alias here gets the report where the alias leads, each member once."""
    carl, dora = Mailbox("carl", "example.org"), Mailbox("dora", "example.org")
    router = TableRouter(
        {
            ANN: Expansion((carl, dora, ANN)),
            carl: Route(HOME, carl),
            dora: Refusal(Reply.of(550, "5.1.1", "No such user")),
        }
    )
    ((entry, _),) = settle(FAILED, router=router).notices
    assert entry.routes == (Route(HOME, carl),)
    assert [one.forward_path for one in entry.message.envelope.recipients] == [carl]


@pytest.mark.rfc("5321", "6.1")
def test_a_long_list_that_sends_hears_of_failures_too() -> None:
    """A list that may be sent to may also be the sender: every member gets the bounce, and the message has its end."""
    members = tuple(Mailbox(f"member{number}", "sender.example") for number in range(60))
    settled = settle(FAILED, router=TableRouter({ANN: Expansion(members, is_list=True)}))
    assert settled.settlements[0].done
    ((notice, _),) = settled.notices
    assert len(notice.message.envelope.recipients) == 60


def test_a_report_that_can_go_nowhere_is_dropped() -> None:
    """A sender that does not exist here costs its message nothing but the report."""
    router = TableRouter({ANN: Refusal(Reply.of(550, "5.1.1", "No such user"))})
    settled = settle(FAILED, router=router)
    assert settled.settlements[0].done
    assert not settled.notices


@pytest.mark.parametrize(("outcome", "age"), [(FAILED, 60), (DELIVERED, 60), (DELAYED, LATE)])
def test_a_report_waits_for_its_route(outcome: Outcome, age: float) -> None:
    """When it cannot be known now where a report goes, what it reports is settled all the same, and the report waits."""
    router = TableRouter({ANN: Refusal(Reply.of(451, "4.3.0", "Try later"))})
    settled = settle(outcome, notify=S | F | D, age=age, router=router)
    assert settled.settlements[0].done == (outcome is not DELAYED)
    ((entry, due),) = settled.notices
    assert due == TODAY
    assert entry.routes == (Route(UNROUTED, ANN),)


def test_eight_bit_messages_come_back_as_they_were() -> None:
    """A report that gives 8-bit octets back asks for 8BITMIME; one to a UTF-8 sender for SMTPUTF8."""
    eight = Content(b"Subject: x\r\n\r\n\xe4\xf6\r\n")
    ((entry, _),) = settle(FAILED, content=eight).notices
    assert entry.message.envelope.body is Body.EIGHT_BIT_MIME
    assert not entry.message.envelope.smtputf8
    sender = Mailbox("jörg", "sender.example")
    ((entry, _),) = settle(FAILED, reverse_path=sender, smtputf8=True).notices
    assert entry.message.envelope.smtputf8


@pytest.mark.rfc("3461", "5.2.7.3")
def test_lists_expanded_at_the_door() -> None:
    """Reception gets a report for lists whose sender asked for SUCCESS, and none otherwise."""
    clock = Clock()
    clock.advance(TODAY)
    role = RelayRole(TableRouter(), "mx.example.org", QueueSettings(), clock, Random(1), InlineDisk())
    message = Message("Qabout", Envelope(ANN), Content(TEXT), TODAY)
    (entry,) = now(role.report_expansion(message, [Recipient(BOB, S), Recipient(BOB)]))
    assert entry.message.content.read().count(b"Action: expanded") == 1
    assert now(role.report_expansion(message, [Recipient(BOB)])) == []


def with_queue(outcome: Outcome, router: Router | None = None) -> tuple[Bench, list[str]]:
    """Make a queue that settles through the relay, a host that answers so, and the texts that reach the sender's host."""
    bench = Bench()
    texts: list[str] = []

    def keep(request: DeliveryRequest) -> dict[Recipient, Outcome]:
        texts.append(request.message.content.read().decode())
        assert request.message.envelope.reverse_path == NULL
        return dict.fromkeys(request.message.envelope.recipients, DELIVERED)

    bench.courier.script.update({"good.example": outcome, "sender.example": keep})
    router = router or TableRouter()
    role = RelayRole(router, "mx.example.org", bench.settings, bench.clock, Random(2), InlineDisk())
    bench.settle = role.settle  # type: ignore[assignment]
    couriers: dict[str, Courier] = {"smtp": bench.courier}
    bench.queue = bench.new_queue(couriers)
    couriers[UNROUTED.courier] = UnroutedCourier(router, bench.queue, bench.settings, bench.clock, Random(3))
    bench.start()
    return bench, texts


def test_a_bounce_goes_out_at_once() -> None:
    """A failure's report is on its way in the same moment, and then nothing is left."""
    bench, texts = with_queue(FAILED)
    bench.submit(LANE)
    bench.clock.advance(0)
    assert len(texts) == 1
    assert "Action: failed" in texts[0]
    assert bench.left() == 0


@pytest.mark.rfc("5321", "4.5.4.1")
def test_a_long_delay_from_beginning_to_end() -> None:
    """A host that is busy for days costs the sender one warning after four hours and one report after five days."""
    bench, texts = with_queue(DELAYED)
    bench.submit(LANE)
    bench.pass_time(4 * HOUR - 60)
    assert not texts
    bench.pass_time(8 * HOUR)
    assert [text.count("Action: delayed") for text in texts] == [1]
    bench.pass_time(5 * 24 * HOUR)
    assert [text.count("Action: failed") for text in texts] == [0, 1]
    assert "Status: 4.4.7" in texts[1]
    assert bench.left() == 0


def test_a_dead_host_from_beginning_to_end() -> None:
    """Behind a host that is dead for days every sender has one warning and one report as well."""
    bench, texts = with_queue(Delayed(Reply.of(451, "4.4.1", "Connection refused"), host_unreachable=True))
    for _ in range(30):
        bench.submit(LANE)
    bench.pass_time(12 * HOUR)
    assert sum("Action: delayed" in text for text in texts) == 30
    bench.pass_time(5 * 24 * HOUR)
    assert sum("Action: failed" in text for text in texts) == 30
    assert len(texts) == 60
    assert bench.left() == 0


def test_reports_find_their_way_later() -> None:
    """While the sender's account cannot be looked up nothing is delivered again; then each report goes out once."""
    router = TableRouter({ANN: Refusal(Reply.of(451, "4.3.0", "Try later"))})
    bench, texts = with_queue(FAILED, router)
    bench.submit(LANE)
    bench.pass_time(3 * HOUR)
    assert not texts
    assert bench.left() == 1
    assert len(bench.courier.times("good.example")) == 1
    router.table.clear()
    bench.pass_time(3 * HOUR)
    assert [text.count("Action: failed") for text in texts] == [1]
    assert bench.left() == 0


def test_a_report_that_never_finds_its_way_has_its_end() -> None:
    """After the time a notification is tried it is dropped, as it is when its address turns out not to exist."""
    router = TableRouter({ANN: Refusal(Reply.of(451, "4.3.5", "An alias leads too far"))})
    bench, texts = with_queue(FAILED, router)
    bench.submit(LANE)
    bench.pass_time(25 * HOUR)
    assert bench.left() == 0
    bench.submit(LANE)
    router.table[ANN] = Refusal(Reply.of(550, "5.1.1", "No such user"))
    bench.pass_time(HOUR)
    assert bench.left() == 0
    assert not texts


@pytest.mark.rfc("8689", "5")
def test_a_report_about_a_message_that_requires_tls() -> None:
    """It requires TLS itself and gives back the header only, whatever RET said."""
    settled = settle(FAILED, extra=(("REQUIRETLS", ""),), returns=Return.FULL)
    ((entry, _),) = settled.notices
    assert entry.message.envelope.requires_tls
    assert "The body." not in text_of(settled)
    assert "Subject: hello" in text_of(settled)


def test_a_report_tells_what_protected_the_message() -> None:
    """Version, cipher, and whether the host was who it should be."""
    assert "X-Mailnode-TLS: TLSv1.3 X verified\r\n" in text_of(settle(evolve(FAILED, tls="TLSv1.3 X verified")))
    assert "X-Mailnode-TLS" not in text_of(settle(FAILED))
