"""Following aliases and lists to their end, and what the sender hears of it (RFC 3461 section 5.2.7, RFC 5321 3.9).

How the sender's wishes (NOTIFY, ORCPT) go on:

===================  ==================================================================================================
alias of one         both go on unchanged: the journey is the same, only the address has changed
list, no owner       ORCPT goes on; NOTIFY without SUCCESS, since one wish must not bring many answers: the sender is
                     told once, by us, that the list was expanded. Failures of members still reach the sender.
list with an owner   neither goes on: its copies are new messages from the owner, who hears of their failures; for
                     the sender the journey ended at the list
===================  ==================================================================================================

Inside a list everything counts as belonging to the outermost list. Nobody gets two copies. A circle of aliases ends
by itself: who was seen is not visited again.
"""

from attrs import evolve, frozen

from mailnode.interfaces import Router
from mailnode.mail.address import NULL, Mailbox
from mailnode.mail.envelope import Notify, Recipient
from mailnode.mail.reply import Reply
from mailnode.mail.route import Expansion, Lane, Refusal, Route
from mailnode.routing.gathering import gather

MAX_DEPTH = 10
"""Aliases of aliases."""

_TOO_DEEP = Reply.of(451, "4.3.5", "an alias leads too far")
_TOO_MANY = Reply.of(451, "4.3.5", "a list has too many members")
_CIRCLE = Reply.of(554, "5.4.6", "an alias leads back to itself")
_NOBODY = Reply.of(550, "5.1.1", "no member of the list can be reached")


@frozen
class Resolution:
    """Where all copies of a message for one recipient go."""

    routes: tuple[tuple[Recipient, Route], ...]
    """Never empty; each Recipient bears its final address and what of NOTIFY and ORCPT goes on."""
    refusals: tuple[tuple[Mailbox, Refusal], ...] = ()
    """Members that are not to be had, for good."""
    is_list: bool = False
    """It was a list: whoever asked for SUCCESS is owed an "expanded" notice now."""
    owner: Mailbox = NULL
    """The reverse-path of the copies; NULL: the sender's."""
    why: tuple[str, ...] = ()
    """The steps, a sentence each."""
    moved_to: Mailbox = NULL
    """Where the user has moved whose address was looked up; NULL: he has not."""

    @property
    def has_owner(self) -> bool:
        """Tell whether the copies bear the list owner's address and not the sender's."""
        return self.owner != NULL


async def resolve(router: Router, recipient: Recipient, *, limit: int = 1000) -> Resolution | Refusal:
    """Route a recipient to the end; at most ``limit`` addresses are looked at.

    A Refusal when nobody can be reached, and when a member cannot be looked up now: a list is taken for all of its
    members or not yet.
    """
    routing = await router.route(recipient.forward_path)
    if isinstance(routing, Route):  # nearly all mail: no search is needed
        return Resolution(((_along(routing, recipient), routing),), why=routing.why)
    if isinstance(routing, Refusal):
        return routing
    found = await _Search(router, limit).run(recipient)
    if routing.has_moved and isinstance(found, Resolution):
        return evolve(found, moved_to=routing.members[0])
    return found


def _along(route: Route, recipient: Recipient) -> Recipient:
    """Give the recipient the address it has on this route."""
    same = recipient.forward_path == route.forward_path
    return recipient if same else evolve(recipient, forward_path=route.forward_path)


class _Search:
    """One walk, level by level."""

    def __init__(self, router: Router, limit: int) -> None:
        self._router = router
        self._limit = limit
        self._seen: set[tuple[str, str]] = set()
        self._routes: dict[tuple[Lane, Mailbox], tuple[Recipient, Route]] = {}
        self._refusals: list[tuple[Mailbox, Refusal]] = []
        self._list: Expansion | None = None
        self._why: list[str] = []

    async def run(self, recipient: Recipient) -> Resolution | Refusal:
        level = self._unseen([recipient])
        for _ in range(MAX_DEPTH):
            if not level:
                return self._end()
            if len(self._seen) > self._limit:
                return Refusal(_TOO_MANY, tuple(self._why))
            trouble, level = await self._visit(level)
            if trouble is not None:
                return trouble
        return Refusal(_TOO_DEEP, tuple(self._why)) if level else self._end()

    async def _visit(self, level: list[Recipient]) -> tuple[Refusal | None, list[Recipient]]:
        deeper: list[Recipient] = []
        routings = await gather(self._router.route(recipient.forward_path) for recipient in level)
        for recipient, routing in zip(level, routings, strict=True):
            self._why.extend(routing.why)
            match routing:
                case Route():
                    self._reach(recipient, routing)
                case Expansion():
                    deeper.extend(self._expand(recipient, routing))
                case Refusal() if routing.reply.is_transient:
                    return routing, []
                case Refusal():
                    self._refusals.append((recipient.forward_path, routing))
        return None, self._unseen(deeper)

    def _unseen(self, recipients: list[Recipient]) -> list[Recipient]:
        fresh: list[Recipient] = []
        for recipient in recipients:
            address = recipient.forward_path
            key = (address.local_part, address.domain.lower())
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(recipient)
        return fresh

    def _reach(self, recipient: Recipient, route: Route) -> None:
        key = (route.lane, route.forward_path)
        self._routes.setdefault(key, (_along(route, recipient), route))

    def _expand(self, recipient: Recipient, expansion: Expansion) -> list[Recipient]:
        if expansion.is_list:
            if self._list is None:
                self._list = expansion
            recipient = _for_members(recipient, has_owner=self._list.owner != NULL)
        if expansion.own is not None:
            self._why.extend(expansion.own.why)
            self._reach(recipient, expansion.own)
        return [evolve(recipient, forward_path=member) for member in expansion.members]

    def _end(self) -> Resolution | Refusal:
        why = tuple(self._why)
        if self._routes:
            is_list = self._list is not None
            owner = NULL if self._list is None else self._list.owner
            return Resolution(tuple(self._routes.values()), tuple(self._refusals), is_list, owner, why)
        if not self._refusals:
            return Refusal(_CIRCLE, why)
        if self._list is None:
            return Refusal(self._refusals[0][1].reply, why)
        return Refusal(_NOBODY, why)


def _for_members(recipient: Recipient, *, has_owner: bool) -> Recipient:
    if has_owner:
        return Recipient(recipient.forward_path)
    if recipient.notify in (Notify.UNSPECIFIED, Notify.NEVER):
        return recipient
    return evolve(recipient, notify=recipient.notify & ~Notify.SUCCESS or Notify.NEVER)
