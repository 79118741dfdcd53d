"""Aliases and lists followed to the end, and what goes on of the sender's wishes."""

from collections.abc import Mapping

import pytest

from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.envelope import Notify, Recipient
from mailnode.mail.reply import Reply
from mailnode.mail.route import Refusal, Routing
from mailnode.routing.resolution import Resolution, resolve
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from tests.kit.results import now
from tests.routing.test_router import Accounts


def resolved(
    aliases: Mapping[str, tuple[str, ...]], recipient: Recipient | str, limit: int = 1000
) -> Resolution | Refusal:
    """Resolve at example.org, where ann, bob, eve and list-keeper have accounts."""
    accounts = Accounts(*(f"{name}@example.org" for name in ("ann", "bob", "eve")))
    settings = DomainSettings("example.org", aliases=aliases)
    table = TableRouter(hostname="example.org", domains=[settings], routes=[], directory=accounts)
    if isinstance(recipient, str):
        recipient = Recipient(parse_mailbox(recipient))
    return now(resolve(table, recipient, limit=limit))


def reached(found: Resolution | Refusal) -> list[str]:
    """Give the final addresses."""
    assert isinstance(found, Resolution), found
    assert [recipient.forward_path for recipient, _ in found.routes] == [
        route.forward_path for _, route in found.routes
    ]
    return [str(recipient.forward_path) for recipient, _ in found.routes]


def test_a_plain_address_is_its_own_end() -> None:
    """Nothing is expanded, nothing changes but the spelling of the mailbox."""
    found = resolved({}, Recipient(Mailbox("Ann", "example.org"), Notify.SUCCESS, "rfc822;Ann@example.org"))
    assert isinstance(found, Resolution)
    assert found.routes[0][0] == Recipient(Mailbox("ann", "example.org"), Notify.SUCCESS, "rfc822;Ann@example.org")
    assert not found.is_list
    assert not found.has_owner


def test_lists_in_lists_reach_everybody_once() -> None:
    """Members of several lists get one copy, and outside members are routed too."""
    aliases = {"all": ("staff", "eve", "x@other.example"), "staff": ("ann", "bob", "Eve"), "eve2": ("eve",)}
    found = resolved(aliases, "all@example.org")
    assert reached(found) == ["eve@example.org", "x@other.example", "ann@example.org", "bob@example.org"]


@pytest.mark.rfc("3461", "5.2.7")
def test_an_alias_of_one_keeps_the_senders_wishes() -> None:
    """NOTIFY and ORCPT go on unchanged through aliases of one."""
    wish = Recipient(Mailbox("boss", "example.org"), Notify.SUCCESS | Notify.DELAY, "rfc822;boss@example.org")
    found = resolved({"boss": ("chief",), "chief": ("ann",)}, wish)
    assert isinstance(found, Resolution)
    assert found.routes[0][0] == Recipient(Mailbox("ann", "example.org"), wish.notify, wish.original)
    assert not found.is_list


@pytest.mark.rfc("3461", "5.2.7")
@pytest.mark.parametrize(
    ("asked", "goes_on"),
    [
        (Notify.SUCCESS, Notify.NEVER),
        (Notify.SUCCESS | Notify.FAILURE, Notify.FAILURE),
        (Notify.NEVER, Notify.NEVER),
        (Notify.UNSPECIFIED, Notify.UNSPECIFIED),
    ],
)
def test_a_list_without_owner_reports_success_once(asked: Notify, goes_on: Notify) -> None:
    """SUCCESS does not go on to the members: the expansion itself is reported; ORCPT does."""
    found = resolved({"l": ("ann", "bob")}, Recipient(Mailbox("l", "example.org"), asked, "rfc822;l@example.org"))
    assert isinstance(found, Resolution)
    assert {recipient.notify for recipient, _ in found.routes} == {goes_on}
    assert {recipient.original for recipient, _ in found.routes} == {"rfc822;l@example.org"}
    assert found.is_list
    assert found.owner == NULL


@pytest.mark.rfc("3461", "5.2.7")
def test_a_list_with_an_owner_ends_the_senders_journey() -> None:
    """Copies are from the owner and bear none of the sender's wishes."""
    aliases = {"l": ("ann", "bob"), "owner-l": ("eve",)}
    found = resolved(aliases, Recipient(Mailbox("l", "example.org"), Notify.SUCCESS, "rfc822;l@example.org"))
    assert isinstance(found, Resolution)
    assert found.owner == Mailbox("owner-l", "example.org")
    assert found.has_owner
    assert {(recipient.notify, recipient.original) for recipient, _ in found.routes} == {(Notify.UNSPECIFIED, "")}


def test_an_alias_with_itself_delivers_and_forwards() -> None:
    """A copy stays, a copy goes."""
    found = resolved({"ann": ("ann", "ann@home.example")}, "ann@example.org")
    assert reached(found) == ["ann@example.org", "ann@home.example"]


def test_circles_end() -> None:
    """Aliases that lead back to themselves reach whoever else is named, or are refused."""
    assert reached(resolved({"a": ("b", "ann"), "b": ("a", "bob")}, "a@example.org")) == [
        "ann@example.org",
        "bob@example.org",
    ]
    circle = resolved({"a": ("b",), "b": ("a",)}, "a@example.org")
    assert isinstance(circle, Refusal)
    assert str(circle.reply.status) == "5.4.6"


def test_unknown_members_are_told_apart() -> None:
    """One bad member does not stop a list; all bad refuse it, and an alias of one says what its member says."""
    found = resolved({"l": ("ann", "nobody")}, "l@example.org")
    assert isinstance(found, Resolution)
    assert [str(mailbox) for mailbox, _ in found.refusals] == ["nobody@example.org"]
    for aliases in ({"l": ("no", "body")}, {"l": ("nobody",)}):
        refused = resolved(aliases, "l@example.org")
        assert isinstance(refused, Refusal)
        assert str(refused.reply).startswith("550 5.1.1")


def test_depth_and_number_are_bounded() -> None:
    """Too long a chain and too many members are our own fault to mend: temporary."""
    chain = {f"a{step}": (f"a{step + 1}",) for step in range(20)}
    many = {"l": tuple(f"m{number}@other.example" for number in range(50))}
    for refused in (resolved(chain, "a0@example.org"), resolved(many, "l@example.org", limit=50)):
        assert isinstance(refused, Refusal)
        assert str(refused.reply).startswith("451 4.3.5")
    assert len(reached(resolved(many, "l@example.org", limit=51))) == 50


def test_a_member_that_cannot_be_looked_up_now_delays_the_whole() -> None:
    """No member of a list is forgotten because the directory had a bad moment."""

    class Moody(TableRouter):
        async def route(self, forward_path: Mailbox) -> Routing:
            if forward_path.local_part == "bob":
                return Refusal(Reply.of(451, "4.3.0", "not now"))
            return await super().route(forward_path)

    settings = DomainSettings("example.org", aliases={"l": ("ann", "bob")})
    table = Moody(hostname="example.org", domains=[settings], routes=[], directory=Accounts("ann@example.org"))
    found = now(resolve(table, Recipient(Mailbox("l", "example.org"))))
    assert isinstance(found, Refusal)
    assert found.reply.is_transient
