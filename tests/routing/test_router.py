"""Where an address goes, by domains, aliases, accounts and routes."""

import pytest
from twisted.internet.defer import CancelledError

from mailnode.accounts.memory import MemoryDirectory
from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.route import Expansion, Lane, Refusal, Route, Routing
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings, RouteSettings
from tests.kit.results import now

MAILDIR = Lane("maildir")


class Accounts(MemoryDirectory):
    """A Directory of some addresses."""

    def __init__(self, *addresses: str) -> None:
        super().__init__(map(parse_mailbox, addresses))
        self.trouble: Exception | None = None

    async def find(self, mailbox: Mailbox) -> bool:
        """Look it up, or raise what the test wants."""
        if self.trouble:
            raise self.trouble
        return await super().find(mailbox)


def router(
    *domains: DomainSettings,
    routes: tuple[RouteSettings, ...] = (),
    accounts: tuple[str, ...] = (),
    hostname: str = "mx.example.org",
) -> TableRouter:
    """Make a router that is also known as 192.0.2.1."""
    return TableRouter(
        hostname=hostname,
        domains=domains,
        routes=routes,
        directory=Accounts(*accounts),
        own_addresses=("192.0.2.1", "2001:db8::1"),
    )


def ask(table: TableRouter, address: str) -> Routing:
    """Route an address."""
    mailbox = Mailbox("Postmaster", "") if address == "Postmaster" else parse_mailbox(address)
    routing = now(table.route(mailbox))
    assert routing.why, "every step explains itself"
    return routing


def goes(table: TableRouter, address: str) -> tuple[Lane, str]:
    """Give the lane and the final address."""
    routing = ask(table, address)
    assert isinstance(routing, Route), routing
    return routing.lane, f"{routing.forward_path.local_part}@{routing.forward_path.domain}"


def stands_for(table: TableRouter, address: str) -> list[str]:
    """Give the members of what an address stands for."""
    routing = ask(table, address)
    assert isinstance(routing, Expansion), routing
    return [str(member) for member in routing.members]


def refused(table: TableRouter, address: str) -> str:
    """Give code and status of the refusal."""
    routing = ask(table, address)
    assert isinstance(routing, Refusal), routing
    return f"{routing.reply.code} {routing.reply.status}"


def test_an_account_is_found_in_any_case() -> None:
    """Letters of either case name the same account and domain, and the mailbox has one name."""
    table = router(DomainSettings("Example.ORG"), accounts=("ann@example.org",))
    assert goes(table, "Ann@EXAMPLE.org") == (MAILDIR, "ann@example.org")
    assert refused(table, "bob@example.org") == "550 5.1.1"


def test_a_u_label_domain_is_its_a_label() -> None:
    """A domain in either spelling is the same domain."""
    table = router(DomainSettings("bücher.example", accounts="any"))
    assert goes(table, "ann@xn--bcher-kva.example") == (MAILDIR, "ann@xn--bcher-kva.example")
    assert goes(table, "ann@bücher.example") == (MAILDIR, "ann@xn--bcher-kva.example")
    assert goes(table, "ann@grün.example")[0] == Lane("smtp", "xn--grn-ioa.example")


def test_an_alias_comes_before_an_account() -> None:
    """An alias of one is no list and may lead out; bare local parts are of the same domain."""
    settings = DomainSettings("example.org", aliases={"Info": ("ann",), "boss": ("eve@other.example",)})
    table = router(settings, accounts=("info@example.org", "ann@example.org"))
    assert stands_for(table, "INFO@example.org") == ["ann@example.org"]
    assert stands_for(table, "boss@example.org") == ["eve@other.example"]
    expansion = ask(table, "boss@example.org")
    assert isinstance(expansion, Expansion)
    assert not expansion.is_list
    assert expansion.owner == NULL


@pytest.mark.rfc("5321", "3.9.2")
def test_a_list_has_its_owner() -> None:
    """Several members are a list; its owner is owner-NAME, if there is one."""
    aliases = {"staff": ("ann", "bob"), "owner-staff": ("eve",), "all": ("ann", "bob")}
    table = router(DomainSettings("example.org", aliases=aliases))
    staff, everybody = ask(table, "staff@example.org"), ask(table, "all@example.org")
    assert isinstance(staff, Expansion)
    assert isinstance(everybody, Expansion)
    assert staff.is_list
    assert staff.owner == Mailbox("owner-staff", "example.org")
    assert everybody.is_list
    assert everybody.owner == NULL


def test_an_alias_that_names_itself_keeps_a_copy() -> None:
    """Its own mailbox is a route of its own, not a circle."""
    table = router(
        DomainSettings("example.org", aliases={"ann": ("ann", "ann@home.example")}), accounts=("ann@example.org",)
    )
    routing = ask(table, "ann@example.org")
    assert isinstance(routing, Expansion)
    assert [str(member) for member in routing.members] == ["ann@home.example"]
    assert routing.own is not None
    assert routing.own.forward_path == Mailbox("ann", "example.org")


def test_a_self_alias_without_account_makes_its_mailbox_where_any_is_taken() -> None:
    """Where every address has a mailbox, so has the alias; elsewhere it stays a member and ends as a circle."""
    aliases = {"ann": ("ann", "x@home.example")}
    taken = ask(router(DomainSettings("example.org", aliases=aliases, accounts="any")), "ann@example.org")
    known = ask(router(DomainSettings("example.org", aliases=aliases)), "ann@example.org")
    assert isinstance(taken, Expansion)
    assert isinstance(known, Expansion)
    assert taken.own is not None
    assert known.own is None
    assert len(known.members) == 2


@pytest.mark.rfc("5233", "4")
def test_subaddresses() -> None:
    """A tag leads to the user's alias or account; an account with the very name comes first; no separator, no tags."""
    accounts = ("ann@example.org", "c+d@example.org", "ann@plain.example")
    table = router(
        DomainSettings("example.org", aliases={"staff": ("ann",)}),
        DomainSettings("plain.example", separator=""),
        DomainSettings("any.example", accounts="any", separator="-"),
        accounts=accounts,
    )
    assert goes(table, "ann+shop@example.org") == (MAILDIR, "ann@example.org")
    assert goes(table, "c+d@example.org") == (MAILDIR, "c+d@example.org")
    assert stands_for(table, "staff+x@example.org") == ["ann@example.org"]
    assert refused(table, "bob+x@example.org") == "550 5.1.1"
    assert refused(table, "ann+x@plain.example") == "550 5.1.1"
    assert goes(table, "Ann-x-y@any.example") == (MAILDIR, "ann@any.example")
    assert goes(table, "-x@any.example") == (MAILDIR, "-x@any.example")


def test_the_catch_all_gets_the_rest() -> None:
    """Whom nobody else takes goes to the catch-all; the catch-all itself is not caught again."""
    table = router(DomainSettings("example.org", catch_all="eve"), accounts=("ann@example.org",))
    assert goes(table, "ann@example.org") == (MAILDIR, "ann@example.org")
    assert stands_for(table, "who@example.org") == ["eve@example.org"]
    assert refused(table, "eve@example.org") == "550 5.1.1"


@pytest.mark.parametrize("name", ['"a/b"', '".hidden"', '"back\\\\slash"', "x" * 65, '"tab\tstop"'])
def test_a_mailbox_comes_into_being_only_with_a_safe_name(name: str) -> None:
    """With accounts = "any" nobody makes folders outside, hidden or unprintable."""
    table = router(DomainSettings("example.org", accounts="any"))
    local_part = name.strip('"').replace("\\\\", "\\")
    routing = now(table.route(Mailbox(local_part, "example.org")))
    assert isinstance(routing, Refusal)
    assert f"{routing.reply.code} {routing.reply.status}" == "553 5.1.3"


@pytest.mark.rfc("5321", "4.5.1")
def test_postmaster_is_never_unknown() -> None:
    """With or without a domain, at each domain of ours and at the host name, in any case of letters."""
    table = router(DomainSettings("example.org"), DomainSettings("example.net"))
    for address in ("Postmaster", "postmaster@example.org", "PostMaster@example.net", "postmaster@mx.example.org"):
        assert goes(table, address)[0] == MAILDIR
        assert goes(table, address)[1].lower() == "postmaster@example.org"
    assert table.is_local(Mailbox("postmaster", "MX.example.org"))
    assert not table.is_local(Mailbox("ann", "mx.example.org"))


@pytest.mark.rfc("5321", "4.5.1")
def test_postmaster_may_be_an_alias_or_an_account() -> None:
    """What the settings say of postmaster comes first, also for domains that say nothing."""
    table = router(
        DomainSettings("example.net"), DomainSettings("mx.example.org", aliases={"postmaster": ("ops@example.org",)})
    )
    assert stands_for(table, "Postmaster") == ["ops@example.org"]
    assert stands_for(table, "postmaster@example.net") == ["ops@example.org"]
    table = router(DomainSettings("a.example"), DomainSettings("b.example"), accounts=("postmaster@b.example",))
    assert goes(table, "postmaster@b.example") == (MAILDIR, "postmaster@b.example")


def test_a_node_without_domains_has_a_postmaster() -> None:
    """A mere relay keeps the postmaster's mail under its host name."""
    assert goes(router(), "Postmaster") == (MAILDIR, "Postmaster@mx.example.org")


@pytest.mark.rfc("5321", "4.1.3")
def test_address_literals() -> None:
    """Our own literal is our first domain; that of others is a next hop; an unknown kind is refused."""
    table = router(DomainSettings("example.org"), accounts=("ann@example.org",))
    assert goes(table, "ann@[192.0.2.1]") == (MAILDIR, "ann@example.org")
    assert goes(table, "ann@[IPv6:2001:DB8::1]") == (MAILDIR, "ann@example.org")
    assert goes(table, "ann@[192.0.2.7]")[0] == Lane("smtp", "[192.0.2.7]")
    assert goes(table, "ann@[IPv6:2001:db8::7]")[0] == Lane("smtp", "[IPv6:2001:db8::7]")
    assert refused(table, "ann@[x400:hello]") == "553 5.1.2"


def test_other_domains_go_by_the_first_route_that_matches() -> None:
    """Address, domain, wildcard and star; without a next hop, and without a route, the domain's MX."""
    routes = (
        RouteSettings("VIP@example.net", "smtp", "[192.0.2.9]"),
        RouteSettings("example.net", "lmtp", "[127.0.0.1]:24"),
        RouteSettings("*.partner.example", "smtp", "relay.partner.example:26"),
        RouteSettings("direct.example"),
    )
    table = router(DomainSettings("example.org"), routes=routes)
    assert goes(table, "vip@EXAMPLE.net") == (Lane("smtp", "[192.0.2.9]"), "vip@EXAMPLE.net")
    assert goes(table, "Ann+x@example.net") == (Lane("lmtp", "[127.0.0.1]:24"), "Ann+x@example.net")
    assert goes(table, "ann@a.b.partner.example")[0] == Lane("smtp", "relay.partner.example:26")
    assert goes(table, "ann@partner.example")[0] == Lane("smtp", "partner.example")
    assert goes(table, "ann@direct.example")[0] == Lane("smtp", "direct.example")
    table = router(routes=(RouteSettings("*", "smtp", "smart.example"),))
    assert goes(table, "ann@anywhere.example")[0] == Lane("smtp", "smart.example")


def test_another_courier_gets_the_address_as_it_came() -> None:
    """An LMTP server has its own idea of tags and case."""
    lmtp = DomainSettings("example.org", courier="lmtp", next_hop="[127.0.0.1]:24", accounts="any")
    assert goes(router(lmtp), "Ann+X/y@example.org") == (Lane("lmtp", "[127.0.0.1]:24"), "Ann+X/y@example.org")


def test_what_is_ours() -> None:
    """The relay rule asks for domains, literals and the bare postmaster."""
    table = router(DomainSettings("example.org"))
    assert table.is_local_domain("EXAMPLE.org")
    assert table.is_local_domain("[192.0.2.1]")
    assert table.is_local_domain("")
    for domain in ("sub.example.org", "example.com", "[192.0.2.2]", "mx.example.org", "no domain"):
        assert not table.is_local_domain(domain)


def test_only_lists_are_expanded_for_expn() -> None:
    """EXPN shows aliases and lists of ours, nothing else."""
    table = router(DomainSettings("example.org", aliases={"staff": ("ann", "bob")}, catch_all="eve"))
    found = now(table.expand_list(Mailbox("Staff", "example.org")))
    assert found is not None
    assert [member.local_part for member in found.members] == ["ann", "bob"]
    assert now(table.expand_list(Mailbox("who", "example.org"))) is None
    assert now(table.expand_list(Mailbox("staff", "example.com"))) is None


def test_a_directory_in_trouble_is_temporary(lost_failures: list[dict[str, object]]) -> None:
    """What cannot be looked up now is tried later; cancelling stays cancelling."""
    table = router(DomainSettings("example.org"))
    directory = table._directory
    assert isinstance(directory, Accounts)
    directory.trouble = OSError("the disk is gone")
    assert refused(table, "ann@example.org") == "451 4.3.0"
    assert len(lost_failures) == 1
    lost_failures.clear()
    directory.trouble = CancelledError()
    with pytest.raises(CancelledError):
        ask(table, "ann@example.org")


# --- users who moved --------------------------------------------------------------------------------------------

MOVED = DomainSettings(
    "example.org",
    accounts="any",
    aliases={"old": ("ann",)},
    moved={"Ann": "ann@new.example", "bob": "tell bob@new.example", "carl": "forward dora"},
)


@pytest.mark.rfc("5321", "3.4")
def test_a_user_who_moved_is_sent_on_or_told_of() -> None:
    """The entry's own word counts before the domain's answer; letters of either case and tags do not matter."""
    table = router(MOVED)
    for address in ("ann@example.org", "ANN@example.org", "ann+shop@example.org"):
        routing = ask(table, address)
        assert isinstance(routing, Expansion)
        assert (routing.has_moved, routing.members) == (True, (Mailbox("ann", "new.example"),))
    refused = ask(table, "bob@example.org")
    assert isinstance(refused, Refusal)
    assert str(refused.reply) == "551 5.1.6 User not local; please try <bob@new.example>"
    carl = ask(table, "carl@example.org")
    assert isinstance(carl, Expansion)
    assert carl.members == (Mailbox("dora", "example.org"),)


@pytest.mark.rfc("5321", "3.4")
def test_a_domain_may_tell_of_all_its_moved_users() -> None:
    """``moved_answer`` counts for entries without a word of their own."""
    table = router(DomainSettings("example.org", moved={"ann": "a@new.example"}, moved_answer="tell"))
    routing = ask(table, "ann@example.org")
    assert isinstance(routing, Refusal)
    assert routing.reply.code == 551


def test_the_domains_stand_in_their_order() -> None:
    """Their names are known, folded."""
    assert router(DomainSettings("B.example"), DomainSettings("a.example")).domains == ("b.example", "a.example")
