"""``mailnode explain`` and ``mailnode trace``: why an address goes where it goes, and what became of a message."""

from typing import Any

import click

from mailnode.console.configuration import settings_from, with_config
from mailnode.console.link import ask
from mailnode.console.printing import harmless, json_line, stamp

Item = dict[str, Any]


@click.command()
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each step.")
@with_config
def explain(config: str | None, address: str, *, as_json: bool) -> None:
    """Say how mail for ADDRESS would be routed, and why; nothing is sent."""
    request = {"command": "explain", "address": address}
    ask(settings_from(config), request, show=json_line if as_json else _print_step)


def _print_step(step: Item) -> None:
    indent = "  " * step["depth"]
    click.echo(f"{indent}{harmless(step['address'])}")
    for reason in step["why"]:
        click.echo(f"{indent}  {harmless(reason)}")
    click.echo(f"{indent}  => {harmless(_END[step['outcome']](step))}")


_END = {
    "route": lambda step: f"{step['courier']} {step['next_hop'] or '(' + step['forward_path'] + ')'}",
    "alias": lambda step: f"stands for {', '.join(step['members'])}",
    "list": lambda step: f"a list of {', '.join(step['members'])}",
    "refusal": lambda step: f"refused: {step['reply']}",
    "seen": lambda _: "not followed again",
}


@click.command()
@click.argument("queue_id")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each step.")
@with_config
def trace(config: str | None, queue_id: str, *, as_json: bool) -> None:
    """Tell what happened to the message QUEUE_ID, step by step, also after it is gone."""

    def print_step(step: Item) -> None:
        click.echo(f"{stamp(step['at'])}  {harmless(step['message'].removeprefix(f'{queue_id}: '))}")

    request = {"command": "trace", "queue_id": queue_id}
    done = ask(settings_from(config), request, show=json_line if as_json else print_step)
    if done["waiting"] and not as_json:
        for recipient in done["waiting"]["recipients"]:
            when = "held" if recipient["held"] else f"due {stamp(recipient['due'])}"
            click.echo(f"waits: <{harmless(recipient['to'])}> {when}")
