"""What every Spool must do: a class of tests; a test file for an implementation subclasses it with its own fixture."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from attrs import evolve
from twisted.internet.task import Clock

from mailnode.interfaces import Selection, Settlement, Spool, SpoolTrouble
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.content import Content
from mailnode.mail.envelope import Body, Envelope, Notify, Recipient, Return
from mailnode.mail.message import Entry, Message, NewEntry
from mailnode.mail.reply import Reply
from mailnode.mail.route import Lane, Route

T = TypeVar("T")

START = 2_000_000_000.0
"""When the clock of these tests begins; later than any file they write."""

ANN = Mailbox("ann", "example.org")
SENDER = Mailbox("bob", "example.net")
NORTH = Lane("smtp", "north.example")
SOUTH = Lane("smtp", "south.example")


class Bench(Protocol):
    """A spool under test and what it stands on."""

    spool: Spool
    clock: Clock
    folder: Path

    def now(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to the end and give the result."""
        ...


def new_entry(
    queue_id: str,
    *where: tuple[Mailbox, Lane],
    sender: Mailbox = SENDER,
    octets: bytes = b"Subject: x\r\n\r\nhello\r\n",
    arrived: float = START,
) -> NewEntry:
    """Make an entry; without ``where`` for Ann by the north."""
    places = where or ((ANN, NORTH),)
    envelope = Envelope(sender, tuple(Recipient(address) for address, _ in places))
    message = Message(queue_id, envelope, Content(octets), arrived)
    return NewEntry(message, tuple(Route(lane, address) for address, lane in places), arrived + 432000)


def keys(entries: "list[Entry] | tuple[Entry, ...] | Any") -> list[int]:
    """Give the keys of all recipients in order."""
    return [one.key for entry in entries for one in entry.recipients]


class SpoolContract:
    """The promises of the seam."""

    def claim(self, bench: Bench, *, limit: int = 100, per_lane: int = 100, full: tuple[Lane, ...] = ()) -> Any:
        """Claim at the clock's time for an hour."""
        seconds = bench.clock.seconds()
        return bench.now(
            bench.spool.claim(now=seconds, lease_until=seconds + 3600, limit=limit, per_lane=per_lane, full=full)
        )

    def accept(self, bench: Bench, entry: NewEntry, due: float = START, lease_until: float = 0.0) -> Entry:
        """Accept, due at the start."""
        return bench.now(bench.spool.accept(entry, due=due, lease_until=lease_until))

    def test_accepted_is_claimed_whole(self, bench: Bench) -> None:
        """What was accepted comes back from claim with every field as it was."""
        recipients = (
            Recipient(Mailbox("a b", "x.example"), Notify.SUCCESS | Notify.DELAY, "rfc822;a@old.example"),
            Recipient(Mailbox("jürgen", "bücher.example"), Notify.NEVER),
            Recipient(Mailbox("postmaster", "")),
        )
        envelope = Envelope(
            SENDER, recipients, "env+id", Return.HEADERS, Body.EIGHT_BIT_MIME, True, (("MT-PRIORITY", "4"),)
        )
        message = Message("q1", envelope, Content(b"\0\xff\r\n" * 100), START + 0.123456)
        entry = NewEntry(message, tuple(Route(NORTH, one.forward_path) for one in recipients), START + 9.5)
        kept = self.accept(bench, entry)
        assert kept.message == evolve(message, envelope=evolve(envelope, recipients=()))
        assert tuple(one.recipient for one in kept.recipients) == recipients
        assert kept.expires == START + 9.5
        (claimed,) = self.claim(bench)
        leased = tuple(evolve(one, due=START + 3600) for one in kept.recipients)
        assert claimed == evolve(kept, recipients=leased)

    def test_the_address_is_the_one_of_the_route(self, bench: Bench) -> None:
        """Where the route's address differs from the recipient's, the route has the last word."""
        entry = new_entry("q1")
        entry = evolve(entry, routes=(Route(NORTH, Mailbox("other", "example.org")),))
        assert self.accept(bench, entry).recipients[0].recipient.forward_path == Mailbox("other", "example.org")

    def test_large_content_is_taken_over(self, bench: Bench) -> None:
        """A file of content belongs to the spool after accept and is gone after the last settlement."""
        path = bench.folder / "incoming" / "m1"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 200_000 + b"not part")
        entry = new_entry("q1")
        entry = evolve(entry, message=evolve(entry.message, content=Content(b"Received: y\r\n", path, 200_000)))
        kept = self.accept(bench, entry)
        (claimed,) = self.claim(bench)
        content = claimed.message.content
        assert content == kept.message.content
        assert content.read() == b"Received: y\r\n" + b"x" * 200_000
        bench.now(bench.spool.settle([Settlement(key, done=True) for key in keys([claimed])]))
        assert bench.now(bench.spool.count()) == (0, 0)
        bench.now(bench.spool.close())
        assert content.path is not None
        assert not content.path.exists()
        assert not path.exists()

    def test_a_queue_id_is_taken_once(self, bench: Bench) -> None:
        """A second message of the same queue id is trouble and leaves the first as it is."""
        self.accept(bench, new_entry("q1"))
        with pytest.raises(SpoolTrouble):
            self.accept(bench, new_entry("q1", octets=b"other"))
        (claimed,) = self.claim(bench)
        assert claimed.message.content.read() == b"Subject: x\r\n\r\nhello\r\n"

    def test_nothing_is_due_before_its_time(self, bench: Bench) -> None:
        """A message due later is not claimed before, and next_due names the moment."""
        assert bench.now(bench.spool.next_due()) is None
        self.accept(bench, new_entry("q1"), due=START + 10)
        assert self.claim(bench) == []
        assert bench.now(bench.spool.next_due()) == START + 10
        bench.clock.advance(10)
        assert len(self.claim(bench)) == 1

    def test_a_lease_keeps_others_away_until_it_runs_out(self, bench: Bench) -> None:
        """What is claimed, or handed over at accept, is claimed again only after the lease."""
        self.accept(bench, new_entry("q1"))
        self.accept(bench, new_entry("q2"), lease_until=START + 3600)
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["q1"]
        assert self.claim(bench) == []
        assert bench.now(bench.spool.next_due()) == START + 3600
        bench.clock.advance(3600)
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["q1", "q2"]

    def test_recover_frees_leases(self, bench: Bench) -> None:
        """After recover the work of this owner's earlier life is due."""
        self.accept(bench, new_entry("q1"), lease_until=START + 3600)
        self.accept(bench, new_entry("q2"))
        self.claim(bench)
        assert bench.now(bench.spool.recover()) == 2
        assert len(self.claim(bench)) == 2

    def test_limits_of_a_claim(self, bench: Bench) -> None:
        """A claim keeps to the limit, to the limit of each lane, and away from full lanes."""
        for number in range(6):
            self.accept(bench, new_entry(f"n{number}", (ANN, NORTH)), due=START - 100 + number)
        self.accept(bench, new_entry("s", (ANN, SOUTH)))
        assert [e.message.queue_id for e in self.claim(bench, per_lane=2, limit=2)] == ["n0", "n1"]
        assert [e.message.queue_id for e in self.claim(bench, per_lane=2)] == ["n2", "n3", "s"]
        assert self.claim(bench, full=(NORTH,)) == []
        assert len(self.claim(bench)) == 2

    def test_one_entry_for_a_message(self, bench: Bench) -> None:
        """Recipients of one message claimed together stand in one entry, whatever their lanes."""
        bob = Mailbox("bob", "south.example")
        self.accept(bench, new_entry("q1", (ANN, NORTH), (bob, SOUTH), (ANN, SOUTH)))
        (entry,) = self.claim(bench)
        assert len(entry.recipients) == 3
        assert {one.lane for one in entry.recipients} == {NORTH, SOUTH}

    def test_a_settlement_is_kept(self, bench: Bench) -> None:
        """After an attempt that did not end it, the recipient waits with all that was learned."""
        (key,) = keys([self.accept(bench, new_entry("q1"))])
        reply = Reply.of(451, "4.7.1", "Greylisted")
        reply = evolve(reply, lines=("Greylisted", "", "jürgen \x00 ok"))
        bench.now(
            bench.spool.settle(
                [
                    Settlement(
                        key, due=START + 60, warned=True, last=reply, last_remote="mx1", lane=SOUTH, forward_path=SENDER
                    )
                ]
            )
        )
        assert self.claim(bench) == []
        bench.clock.advance(60)
        (entry,) = self.claim(bench)
        (one,) = entry.recipients
        assert (one.attempts, one.warned, one.last, one.last_remote) == (1, True, reply, "mx1")
        assert (one.lane, one.recipient.forward_path) == (SOUTH, SENDER)
        bench.now(bench.spool.settle([Settlement(key, due=START + 90, counts=False)]))
        bench.clock.advance(30)
        (entry,) = self.claim(bench)
        (one,) = entry.recipients
        assert (one.attempts, one.warned, one.last, one.last_remote) == (1, True, reply, "mx1")

    @pytest.mark.parametrize("reply", [Reply(421, ("",)), Reply.of(550, "5.1.1", "no"), Reply(250, ("a", "b\\n{}"))])
    def test_replies_come_back(self, bench: Bench, reply: Reply) -> None:
        """Any reply comes back as it was: status or none, empty lines, several lines."""
        (key,) = keys([self.accept(bench, new_entry("q1"))])
        bench.now(bench.spool.settle([Settlement(key, due=START, last=reply)]))
        (entry,) = self.claim(bench)
        assert entry.recipients[0].last == reply

    def test_the_last_settlement_forgets_the_message(self, bench: Bench) -> None:
        """A message stays while a recipient is left and is forgotten with the last."""
        first, second = keys([self.accept(bench, new_entry("q1", (ANN, NORTH), (ANN, SOUTH)))])
        assert list(bench.now(bench.spool.settle([Settlement(first, done=True)]))) == []
        assert bench.now(bench.spool.count()) == (1, 1)
        settlements = [Settlement(second, done=True), Settlement(second, due=START)]
        assert list(bench.now(bench.spool.settle(settlements))) == ["q1"]
        assert bench.now(bench.spool.count()) == (0, 0)
        assert self.claim(bench) == []

    def test_a_key_is_never_used_again(self, bench: Bench) -> None:
        """A late settlement of a removed recipient touches nobody else."""
        seen = set()
        for number in range(5):
            (key,) = keys([self.accept(bench, new_entry(f"q{number}"))])
            assert key not in seen
            seen.add(key)
            bench.now(bench.spool.settle([Settlement(old, done=True) for old in seen]))

    def test_notices_come_with_the_settlement(self, bench: Bench) -> None:
        """A notice is accepted in the settlement's own commit; when it cannot be, nothing is settled."""
        (key,) = keys([self.accept(bench, new_entry("q1"))])
        notice = new_entry("dsn", (SENDER, SOUTH), sender=NULL)
        bench.now(bench.spool.settle([Settlement(key, done=True)], [(notice, START + 5)]))
        assert bench.now(bench.spool.count()) == (1, 1)
        assert bench.now(bench.spool.next_due()) == START + 5
        (other,) = keys([self.accept(bench, new_entry("q2"))])
        with pytest.raises(SpoolTrouble):
            bench.now(bench.spool.settle([Settlement(other, done=True)], [(new_entry("q3"), 0.0), (notice, 0.0)]))
        assert bench.now(bench.spool.count()) == (2, 2)

    def test_nobody_is_told_of_what_was_removed(self, bench: Bench) -> None:
        """A notice is kept only while one of the recipients it comes with is still known; its file is not kept either."""
        north, south = keys([self.accept(bench, new_entry("q1", (ANN, NORTH), (SENDER, SOUTH)))])
        bench.now(bench.spool.remove(Selection(domain=ANN.domain)))
        settlements = [Settlement(north, done=True), Settlement(south, done=True)]
        bench.now(bench.spool.settle(settlements, [(new_entry("dsn1", sender=NULL), START)]))
        assert [one.message.queue_id for one in self.claim(bench)] == ["dsn1"]
        path = bench.folder / "incoming" / "m1"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 100)
        notice = new_entry("dsn2", sender=NULL)
        notice = evolve(notice, message=evolve(notice.message, content=Content(b"", path, 100)))
        assert list(bench.now(bench.spool.settle(settlements, [(notice, START)]))) == []
        assert bench.now(bench.spool.count()) == (1, 1)
        bench.now(bench.spool.close())
        assert not [each for each in bench.folder.rglob("*") if each.is_file() and each.read_bytes() == b"x" * 100]

    def test_a_lane_is_claimed_whole_due_or_not(self, bench: Bench) -> None:
        """What waits there for much later comes as well, by its keys; what is held, leased, or elsewhere does not."""
        self.accept(bench, new_entry("q1"), due=START + 400000)
        self.accept(bench, new_entry("q2", (ANN, SOUTH)))
        self.accept(bench, new_entry("q3"), due=START + 400000)
        self.accept(bench, new_entry("q4"), lease_until=START + 3600)
        self.accept(bench, new_entry("q5"))
        bench.now(bench.spool.hold(Selection(queue_id="q5")))

        def claim(limit: int, after: int = 0) -> Any:
            return bench.now(bench.spool.claim_lane(NORTH, now=START, lease_until=START + 60, limit=limit, after=after))

        (first,) = claim(1)
        (second,) = claim(5, first.recipients[-1].key)
        assert [first.message.queue_id, second.message.queue_id] == ["q1", "q3"]
        assert first.message.content.head
        assert not claim(5)
        bench.now(bench.spool.settle([Settlement(first.recipients[0].key, due=START + 400000, counts=False)]))
        assert not claim(5, first.recipients[0].key)
        (again,) = claim(5)
        assert again.message.queue_id == "q1"
        assert again.recipients[0].attempts == 0

    def test_subdomains_are_selected_when_asked_for(self, bench: Bench) -> None:
        """With subdomains, the domain and all beneath it are meant, in any case of letters; nothing that only ends so."""
        domains = ["Example.org", "mx.EXAMPLE.org", "a.b.example.org", "badexample.org", "example.org.example"]
        for number, domain in enumerate(domains):
            self.accept(bench, new_entry(f"q{number}", (Mailbox("ann", domain), NORTH)))
        selection = Selection(domain="example.org", with_subdomains=True)
        assert bench.now(bench.spool.retry(selection, START)) == 3
        shown = bench.now(bench.spool.listing(selection, limit=10))
        assert [entry.message.queue_id for entry in shown] == ["q0", "q1", "q2"]

    def test_what_leads_to_a_next_hop_is_selected(self, bench: Bench) -> None:
        """Only those recipients are meant whose lane leads there."""
        self.accept(bench, new_entry("q1", (ANN, NORTH), (Mailbox("bob", "example.org"), SOUTH)))
        selection = Selection(next_hop=SOUTH.next_hop)
        assert bench.now(bench.spool.retry(selection, START)) == 1
        (entry,) = bench.now(bench.spool.listing(selection, limit=10))
        assert [one.lane for one in entry.recipients] == [SOUTH]

    def test_a_postponed_lane_rests(self, bench: Bench) -> None:
        """Nothing of a postponed lane is claimed before its time, new mail neither; other lanes go on."""
        self.accept(bench, new_entry("q1"))
        bench.now(bench.spool.postpone(NORTH, START + 600))
        self.accept(bench, new_entry("q2"))
        self.accept(bench, new_entry("q3", (ANN, SOUTH)))
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["q3"]
        assert bench.now(bench.spool.next_due()) == START + 600
        bench.clock.advance(600)
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["q1", "q2"]

    def test_postponing_is_taken_back(self, bench: Bench) -> None:
        """A later, shorter postponement replaces the longer one, also on a lane where nothing waits yet."""
        bench.now(bench.spool.postpone(NORTH, START + 600))
        self.accept(bench, new_entry("q1"))
        assert self.claim(bench) == []
        bench.now(bench.spool.postpone(NORTH, 0.0))
        assert len(self.claim(bench)) == 1

    def test_hold_and_release(self, bench: Bench) -> None:
        """Held recipients are not claimed, not due and still counted; released ones are due at once."""
        self.accept(bench, new_entry("q1"))
        self.accept(bench, new_entry("q2"), due=START + 50)
        assert bench.now(bench.spool.hold(Selection())) == 2
        assert bench.now(bench.spool.hold(Selection())) == 0
        assert self.claim(bench) == []
        assert bench.now(bench.spool.next_due()) is None
        assert bench.now(bench.spool.count()) == (2, 2)
        assert all(
            one.held for entry in bench.now(bench.spool.listing(Selection(), limit=9)) for one in entry.recipients
        )
        assert bench.now(bench.spool.release(Selection(queue_id="q2"))) == 1
        assert bench.now(bench.spool.next_due()) == START
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["q2"]

    def test_release_does_not_break_a_lease(self, bench: Bench) -> None:
        """A recipient held and released while an attempt runs is not handed to a second one."""
        self.accept(bench, new_entry("q1"))
        self.claim(bench)
        bench.now(bench.spool.hold(Selection()))
        assert bench.now(bench.spool.release(Selection())) == 1
        assert self.claim(bench) == []

    def test_a_held_recipient_stays_held_after_its_attempt(self, bench: Bench) -> None:
        """Hold outlasts the settlement of the attempt that was under way."""
        (key,) = keys([self.accept(bench, new_entry("q1"), lease_until=START + 60)])
        bench.now(bench.spool.hold(Selection()))
        bench.now(bench.spool.settle([Settlement(key, due=START)]))
        assert self.claim(bench) == []

    def test_retry(self, bench: Bench) -> None:
        """Retry makes waiting mail due and opens its lane; what is held or leased is left alone."""
        self.accept(bench, new_entry("leased"), lease_until=START + 3600)
        self.accept(bench, new_entry("held"))
        bench.now(bench.spool.hold(Selection(queue_id="held")))
        self.accept(bench, new_entry("waits"), due=START + 500)
        bench.now(bench.spool.postpone(NORTH, START + 600))
        assert bench.now(bench.spool.retry(Selection(), START)) == 1
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["waits"]

    def test_remove(self, bench: Bench) -> None:
        """Removed recipients are gone, leased ones too, and a late settlement of them is passed over."""
        bob = Mailbox("bob", "South.Example")
        first, second = keys([self.accept(bench, new_entry("q1", (ANN, NORTH), (bob, SOUTH)), lease_until=START + 60)])
        self.accept(bench, new_entry("q2"))
        assert bench.now(bench.spool.remove(Selection(domain="south.example"))) == 1
        assert bench.now(bench.spool.count()) == (2, 2)
        bench.now(bench.spool.settle([Settlement(second, due=START)]))
        assert bench.now(bench.spool.remove(Selection(queue_id="q1"))) == 1
        bench.now(bench.spool.settle([Settlement(first, done=True)]))
        assert bench.now(bench.spool.count()) == (1, 1)

    @pytest.mark.parametrize(
        ("selection", "found"),
        [
            (Selection(), ["q1", "q2", "q3", "q4"]),
            (Selection(queue_id="q2"), ["q2"]),
            (Selection(domain="EXAMPLE.org"), ["q1", "q2", "q4"]),
            (Selection(sender="<>"), ["q2"]),
            (Selection(sender="bob@EXAMPLE.net"), ["q1", "q3"]),
            (Selection(sender="BOB@example.net"), []),
            (Selection(sender='"a b"@example.net'), ["q4"]),
            (Selection(older_than=START - 5), ["q1", "q2"]),
            (Selection(older_than=START - 5, sender="<bob@example.net>"), ["q1"]),
            (Selection(queue_id="q9"), []),
        ],
    )
    def test_selections(self, bench: Bench, selection: Selection, found: list[str]) -> None:
        """Each field of a selection narrows it; domains are compared without case, local parts with."""
        self.accept(bench, new_entry("q1", arrived=START - 20))
        self.accept(bench, new_entry("q2", sender=NULL, arrived=START - 10))
        self.accept(bench, new_entry("q3", (Mailbox("x", "other.example"), SOUTH), arrived=START - 5))
        self.accept(bench, new_entry("q4", sender=Mailbox("a b", "example.net")))
        listed = bench.now(bench.spool.listing(selection, limit=10))
        assert [entry.message.queue_id for entry in listed] == found
        assert bench.now(bench.spool.hold(selection)) == len(found)
        assert bench.now(bench.spool.remove(selection)) == len(found)

    def test_listing_goes_in_pages(self, bench: Bench) -> None:
        """Pages follow one another by age, also when the message at the end of one has left; contents stay unread."""
        entries = [self.accept(bench, new_entry(f"q{9 - number}", octets=b"x" * 50)) for number in range(5)]
        first = bench.now(bench.spool.listing(Selection(), limit=2))
        assert [entry.message.queue_id for entry in first] == ["q9", "q8"]
        assert first[0].message.content.size == 50
        assert first[0].message.content.read() == b""
        bench.now(bench.spool.settle([Settlement(key, done=True) for key in keys(entries[:2])]))
        second = bench.now(bench.spool.listing(Selection(), limit=2, after="q8"))
        assert [entry.message.queue_id for entry in second] == ["q7", "q6"]
        third = bench.now(bench.spool.listing(Selection(), limit=2, after="q6"))
        assert [entry.message.queue_id for entry in third] == ["q5"]
        with pytest.raises(LookupError):
            bench.now(bench.spool.listing(Selection(), limit=2, after="never"))

    def test_listing_shows_only_recipients_that_are_meant(self, bench: Bench) -> None:
        """With a domain, an entry shows its recipients there and not the others."""
        self.accept(bench, new_entry("q1", (ANN, NORTH), (Mailbox("x", "other.example"), SOUTH)))
        (entry,) = bench.now(bench.spool.listing(Selection(domain="other.example"), limit=5))
        assert [one.recipient.forward_path.domain for one in entry.recipients] == ["other.example"]

    def test_times_beyond_the_possible_are_corrected(self, bench: Bench) -> None:
        """What waits beyond a limit is due now, a lease beyond its own ends at it, a postponed lane opens; the rest stays."""
        self.accept(bench, new_entry("far"), due=START + 5000)
        self.accept(bench, new_entry("near", (ANN, SOUTH)), due=START + 500)
        self.accept(bench, new_entry("mine"), due=START, lease_until=START + 9000)
        west, east = Lane("smtp", "west.example"), Lane("smtp", "east.example")
        for lane, until in ((west, START + 5000), (east, START + 500)):
            self.accept(bench, new_entry(lane.next_hop, (ANN, lane)))
            bench.now(bench.spool.postpone(lane, until))
        bench.now(bench.spool.retime(now=START, due_by=START + 1000, lease_until=START + 2000))
        assert {entry.message.queue_id for entry in self.claim(bench)} == {"far", "west.example"}
        bench.clock.advance(500)
        assert {entry.message.queue_id for entry in self.claim(bench)} == {"near", "east.example"}
        bench.clock.advance(1499)
        assert self.claim(bench) == []
        bench.clock.advance(1)
        assert [entry.message.queue_id for entry in self.claim(bench)] == ["mine"]
