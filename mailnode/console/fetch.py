"""``mailnode fetch``: call the providers that keep mail for this node, now."""

from typing import Any

import click

from mailnode.console.configuration import settings_from, with_config
from mailnode.console.link import ask
from mailnode.console.printing import harmless, json_line
from mailnode.console.trouble import Trouble
from mailnode.service.asking import TEMPORARY


@click.command()
@click.argument("name", default="")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each provider.")
@with_config
def fetch(config: str | None, name: str, *, as_json: bool) -> None:
    """Call the provider of the [[fetch]] NAME, or all, and wait until their mail is here."""
    done = ask(settings_from(config), {"command": "fetch", "name": name}, show=json_line if as_json else _print)
    if done["failed"]:
        raise Trouble(f"{done['failed']} of {done['calls']} call(s) failed", code=TEMPORARY)


def _print(item: dict[str, Any]) -> None:
    click.echo(f"{harmless(item['name'])}: {harmless(item['said'])}")
