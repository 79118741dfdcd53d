"""``mailnode account``: who has a mailbox here, and who may log in."""

from typing import Any

import click

from mailnode.console.configuration import settings_from, with_config
from mailnode.console.link import ask
from mailnode.console.password import password_for
from mailnode.console.printing import harmless, json_line
from mailnode.console.trouble import INPUT, Trouble


@click.group("account")
def account() -> None:
    """Add, list, change and remove mailboxes.

    A password is asked for on the terminal, twice, or read from standard input, a line for each address.
    """


@account.command()
@click.argument("addresses", nargs=-1, required=True)
@click.option("--name", metavar="NAME", help="The full name of the owner; VRFY shows it to who may ask.")
@click.option("--no-password", is_flag=True, help="A mailbox that nobody can log in to.")
@with_config
def add(config: str | None, addresses: tuple[str, ...], name: str | None, *, no_password: bool) -> None:
    """Give each ADDRESS a mailbox."""
    more: dict[str, Any] = {} if name is None else {"name": name}
    for address in addresses:
        password = "" if no_password else password_for(address)
        _ask(config, "account.add", address, **more, **({"password": password} if password else {}))


@account.command()
@click.argument("address")
@click.option("--no-password", is_flag=True, help="Take the password away: nobody can log in.")
@with_config
def password(config: str | None, address: str, *, no_password: bool) -> None:
    """Give ADDRESS another password."""
    new = "" if no_password else password_for(address)
    if not new and not no_password:
        raise Trouble("no password was given; --no-password takes it away", code=INPUT)
    _ask(config, "account.change", address, password=new)


@account.command()
@click.argument("address")
@click.argument("name")
@with_config
def rename(config: str | None, address: str, name: str) -> None:
    """Let ADDRESS be NAME's, the full name of its owner."""
    _ask(config, "account.change", address, name=name)


@account.command()
@click.argument("addresses", nargs=-1, required=True)
@with_config
def disable(config: str | None, addresses: tuple[str, ...]) -> None:
    """Let nobody log in as ADDRESS; its mail is taken all the same."""
    for address in addresses:
        _ask(config, "account.change", address, disabled=True)


@account.command()
@click.argument("addresses", nargs=-1, required=True)
@with_config
def enable(config: str | None, addresses: tuple[str, ...]) -> None:
    """Undo disable."""
    for address in addresses:
        _ask(config, "account.change", address, disabled=False)


@account.command()
@click.argument("addresses", nargs=-1, required=True)
@with_config
def remove(config: str | None, addresses: tuple[str, ...]) -> None:
    """Take no more mail for each ADDRESS; what it has stays on the disk."""
    for address in addresses:
        _ask(config, "account.remove", address)


def _ask(config: str | None, command: str, address: str, **more: Any) -> None:
    ask(settings_from(config), {"command": command, "address": address, **more}, show=json_line)


@account.command("list")
@click.argument("domain", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, with all that is known.")
@with_config
def list_(config: str | None, domain: str, *, as_json: bool) -> None:
    """List the mailboxes, of one DOMAIN or all."""

    def show(item: dict[str, Any]) -> None:
        if as_json:
            json_line(item)
        else:
            click.echo(harmless(item["address"]))

    ask(settings_from(config), {"command": "account.list", "domain": domain}, show=show)
