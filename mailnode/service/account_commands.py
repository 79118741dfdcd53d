"""What the ``mailnode account`` command can ask of a node. Passwords come in requests and never in answers or logs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mailnode.mail.account import Account, AccountChange
from mailnode.mail.address import Mailbox
from mailnode.mail.saslprep import prepared
from mailnode.service.asking import DATA, NO_SUCH, USAGE, CommandFailed, Exchange, Parts, Request, mailbox, text

LONGEST_NAME = 200
"""Characters of a full name."""


def _address(request: Request) -> Mailbox:
    address = mailbox(text(request, "address"))
    if not address.domain:
        raise CommandFailed(f"{address}: expected an address with its domain", code=USAGE)
    return address


def _change_in(request: Request) -> AccountChange:
    return AccountChange(
        name=_name(request) if "name" in request else None,
        password=_password(request) if "password" in request else None,
        is_disabled=bool(request["disabled"]) if "disabled" in request else None,
        relayed_domains=_domains(request["relayed_domains"]) if "relayed_domains" in request else None,
    )


def _name(request: Request) -> str:
    name = text(request, "name").strip()
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise CommandFailed(f"name: expected one line of at most {LONGEST_NAME} characters", code=USAGE)
    return name


def _password(request: Request) -> str:
    try:
        return prepared(text(request, "password"))
    except ValueError as error:
        raise CommandFailed(f"the password {error}", code=DATA) from None


def _domains(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise CommandFailed("relayed_domains: expected domains", code=USAGE)
    return tuple(mailbox(f"postmaster@{one}").domain_key for one in found)


async def _add(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    address = _address(request)
    try:
        await parts.directory.add(address, _change_in(request))
    except ValueError as error:
        raise CommandFailed(str(error), code=DATA) from None
    return {"address": str(address)}


async def _change(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    address = mailbox(text(request, "address"))
    try:
        await parts.directory.change(address, _change_in(request))
    except LookupError as error:
        raise _no_such(error) from None
    return {"address": str(address)}


async def _remove(parts: Parts, request: Request, _: Exchange) -> dict[str, Any]:
    address = mailbox(text(request, "address"))
    try:
        await parts.directory.remove(address)
    except LookupError as error:
        raise _no_such(error) from None
    return {"address": str(address)}


def _no_such(error: LookupError) -> CommandFailed:
    return CommandFailed(str(error.args[0] if error.args else error), code=NO_SUCH)


async def _list(parts: Parts, request: Request, exchange: Exchange) -> dict[str, Any]:
    accounts = await parts.directory.accounts(text(request, "domain"))
    for one in accounts:
        await exchange.emit(_item(one))
    return {"accounts": len(accounts)}


def _item(account: Account) -> dict[str, Any]:
    return {
        "address": str(account.mailbox),
        "name": account.name,
        "password": account.has_password,
        "disabled": account.is_disabled,
        "relayed_domains": list(account.relayed_domains),
    }


ACCOUNT_COMMANDS: Mapping[str, Callable[[Parts, Request, Exchange], Awaitable[dict[str, Any]]]] = {
    "account.add": _add,
    "account.change": _change,
    "account.remove": _remove,
    "account.list": _list,
}
"""The commands by their names; ``change`` covers the password, the name, whether it is disabled, and the domains."""
