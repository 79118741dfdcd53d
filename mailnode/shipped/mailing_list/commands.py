"""Requests by mail: subscribe, unsubscribe, help, confirm; for owners also who, add and remove.

A request changes nothing: it leads to a question with a signed ticket, and only what comes back with that ticket does. The
question goes to the address it is about, so whoever answers it reads that mailbox.
"""

from collections.abc import Awaitable, Callable

from mailnode.gateways.api import Delivered, Outcome, OutgoingMessage, OutgoingRecipient
from mailnode.shipped.mailing_list.fields import is_address, readable
from mailnode.shipped.mailing_list.mailing import Mailing, author_of, candidates, is_machine, key_of
from mailnode.shipped.mailing_list.posting import approve, reject
from mailnode.shipped.mailing_list.store import ACTIVE, BY_MAIL, BY_OWNER
from mailnode.shipped.mailing_list.texts import DONE, HELP, QUESTIONS, STALE

MOST_WHO = 20_000
"""Members that are told of at most."""

Verb = Callable[["Request", str], Awaitable[None]]


class Request:
    """One mail to one of the list's addresses."""

    def __init__(self, mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient) -> None:
        self.mailing = mailing
        self.message = message
        self.one = one
        self.author = author_of(message)
        self.subject = readable(message.header.get("Subject", ""))

    async def subscribe(self, _: str) -> None:
        """Ask whether the author wants to be a member, whether he is one or not."""
        await self._ask("s", self.author, self.author)

    async def unsubscribe(self, token: str) -> None:
        """Ask whether the author wants to leave; with the token of a copy its member leaves at once (RFC 2369 3.2)."""
        if not token:
            await self._ask("u", self.author, self.author)
            return
        number = self.mailing.tickets.member("unsubscribe", token)
        if number is None:
            return
        address = await self.mailing.store.leave(self.mailing.name, number)
        if address:
            await self._say(DONE["u"], address, address)

    async def help(self, _: str) -> None:
        """Tell how the list is used."""
        await self._say(("how to use {name}", HELP), self.author, "")

    # --- owners

    async def add(self, address: str) -> None:
        """Ask the owner whether he wants somebody added."""
        await self._by_owner("n", address)

    async def remove(self, address: str) -> None:
        """Ask the owner whether he wants somebody removed."""
        await self._by_owner("d", address)

    async def _by_owner(self, action: str, address: str) -> None:
        if self.mailing.is_owner(self.author) and is_address(address):
            await self._ask(action, address, self.author)
        else:
            await self.help("")

    async def who(self, _: str) -> None:
        """Send an owner the members; only to the address that the settings know, so a forged author learns nothing."""
        if not self.mailing.is_owner(self.author):
            await self.help("")
            return
        members = await self.mailing.store.who(self.mailing.name, MOST_WHO)
        lines = [one.address if one.state == ACTIVE else f"{one.address} ({one.state})" for one in members]
        text = f"{len(lines)} members of {self.mailing.posts_to}:\n\n" + "\n".join(lines) + "\n"
        await self._say(("members of {name}", "{text}"), self.author, "", text=text)

    # --- confirmations

    async def confirm(self, token: str) -> None:
        """Do what was asked, if the ticket is ours, has not expired, and is about this author or the subject's address."""
        # Its arrival counts: an approved post may take longer to spread than the ticket lasts.
        when = self.message.arrived
        ticket = self.mailing.tickets.read(token, candidates(self.message, self.subject), when)
        if ticket is None or is_machine(self.message):
            await self._say(STALE, self.author, "")
            return
        is_done = await _ACTIONS[ticket.action](self.mailing, ticket.about, when)
        to = ticket.about if ticket.action in ("s", "u") else self.author
        await self._say(DONE[ticket.action] if is_done else STALE, to, ticket.about)

    # --- what is said

    async def _ask(self, action: str, target: str, to: str) -> None:
        if not is_address(target):
            return
        until = self.mailing.node.clock.seconds() + self.mailing.settings.confirm_within
        confirm = self.mailing.address("confirm", self.mailing.tickets.for_address(action, target, until))
        words = {"target": target, "confirm": confirm}
        await self.mailing.answer(to, QUESTIONS[action], words, self.message, key_of(self.one, "asked"), sender=confirm)

    async def _say(self, said: tuple[str, str], to: str, target: str, text: str = "") -> None:
        if is_address(to):
            words = {"target": target, "text": text}
            await self.mailing.answer(to, said, words, self.message, key_of(self.one, "said"))


async def command(request: Request) -> None:
    """Read the command in the subject; what is none gets help."""
    subject = request.subject
    while subject.lower().startswith("re:"):
        subject = subject[3:].strip()
    word, _, argument = subject.partition(" ")
    verb = _VERBS.get(word.lower(), Request.help)
    await verb(request, argument.strip() if verb in (Request.add, Request.remove) else "")


async def request(mailing: Mailing, message: OutgoingMessage, one: OutgoingRecipient, role: str, token: str) -> Outcome:
    """Treat a mail to a list's address for requests."""
    made = Request(mailing, message, one)
    if role == "request":
        await command(made)
    else:
        await _ROLES[role](made, token)
    return Delivered()


_VERBS: dict[str, Verb] = {
    "subscribe": Request.subscribe, "join": Request.subscribe,
    "unsubscribe": Request.unsubscribe, "leave": Request.unsubscribe, "signoff": Request.unsubscribe,
    "who": Request.who, "add": Request.add, "remove": Request.remove,
}  # fmt: skip
_ROLES: dict[str, Verb] = {
    "subscribe": Request.subscribe,
    "unsubscribe": Request.unsubscribe,
    "help": Request.help,
    "confirm": Request.confirm,
}


async def _join(mailing: Mailing, address: str, _: float) -> bool:
    await mailing.store.join(mailing.name, address, BY_MAIL)
    return True


async def _add(mailing: Mailing, address: str, _: float) -> bool:
    await mailing.store.join(mailing.name, address, BY_OWNER)
    return True


async def _leave(mailing: Mailing, address: str, _: float) -> bool:
    await mailing.store.leave(mailing.name, address)
    return True


async def _approve(mailing: Mailing, number: str, now: float) -> bool:
    return await approve(mailing, int(number), now)


async def _reject(mailing: Mailing, number: str, _: float) -> bool:
    return await reject(mailing, int(number))


_ACTIONS: dict[str, Callable[[Mailing, str, float], Awaitable[bool]]] = {
    "s": _join, "u": _leave, "n": _add, "d": _leave, "a": _approve, "r": _reject,
}  # fmt: skip
