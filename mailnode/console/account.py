"""``mailnode account``: who has a mailbox here."""

from typing import Any

import click

from mailnode.console.configuration import settings_from, with_config
from mailnode.console.link import ask
from mailnode.console.printing import harmless, json_line


@click.group("account")
def account() -> None:
    """Add, list and remove mailboxes."""


@account.command()
@click.argument("addresses", nargs=-1, required=True)
@with_config
def add(config: str | None, addresses: tuple[str, ...]) -> None:
    """Give each ADDRESS a mailbox."""
    _each("account.add", config, addresses)


@account.command()
@click.argument("addresses", nargs=-1, required=True)
@with_config
def remove(config: str | None, addresses: tuple[str, ...]) -> None:
    """Take no more mail for each ADDRESS; what it has stays on the disk."""
    _each("account.remove", config, addresses)


def _each(command: str, config: str | None, addresses: tuple[str, ...]) -> None:
    settings = settings_from(config)
    for address in addresses:
        ask(settings, {"command": command, "address": address}, show=json_line)


@account.command("list")
@click.argument("domain", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@with_config
def list_(config: str | None, domain: str, *, as_json: bool) -> None:
    """List the mailboxes, of one DOMAIN or all."""

    def show(item: dict[str, Any]) -> None:
        if as_json:
            json_line(item)
        else:
            click.echo(harmless(item["address"]))

    ask(settings_from(config), {"command": "account.list", "domain": domain}, show=show)
