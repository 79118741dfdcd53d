"""``mailnode queue``: look at what waits, and change when or whether it goes on."""

from collections.abc import Callable
from typing import Any

import click

from mailnode.console.configuration import settings_from, with_config
from mailnode.console.link import ask
from mailnode.console.printing import QUEUE_HEADINGS, Columns, harmless, json_line, queue_rows, stamp, wishes_of
from mailnode.console.trouble import USAGE, Trouble
from mailnode.mail.quantity import parse_seconds, render_octets

Filter = dict[str, Any]


@click.group("queue")
def queue() -> None:
    """Look at the queue and change it."""


def with_filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose entries."""
    for option in (
        click.option("--older", metavar="AGE", help='Messages older than this, such as "4h".'),
        click.option("--from", "sender", metavar="ADDRESS", help='Messages from this address; "<>" for notifications.'),
        click.option("--domain", metavar="DOMAIN", help="Recipients at this domain."),
    ):
        command = option(command)
    return command


def chosen(domain: str | None, sender: str | None, older: str | None) -> Filter:
    """Make the part of a request that says which entries are meant."""
    try:
        age = parse_seconds(older) if older else 0
    except ValueError as error:
        raise Trouble(f"--older: {error}", code=USAGE) from None
    null_or_bare = sender if sender in (None, "<>") else sender.removeprefix("<").removesuffix(">")
    return {"domain": domain or "", "from": null_or_bare or "", "older": age}


@queue.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line for each message.")
@with_filters
@with_config
def list_(config: str | None, domain: str | None, sender: str | None, older: str | None, *, as_json: bool) -> None:
    """List what waits, oldest first: a line for each recipient."""
    columns = Columns(QUEUE_HEADINGS)
    show = json_line if as_json else lambda item: queue_rows(columns.add, item)
    request = {"command": "queue.list", **chosen(domain, sender, older)}
    done = ask(settings_from(config), request, show=show)
    columns.end()
    if not done["messages"] and not as_json:
        click.echo("The queue is empty." if len(request) == 1 or not any(_filters(request)) else "None.", err=True)


def _filters(request: Filter) -> list[Any]:
    return [value for key, value in request.items() if key != "command" and value]


@queue.command()
@click.argument("queue_id")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_config
def show(config: str | None, queue_id: str, *, as_json: bool) -> None:
    """Show one message: its envelope and what each recipient waits for."""
    print_one = json_line if as_json else _print_entry
    ask(settings_from(config), {"command": "queue.show", "queue_id": queue_id}, show=print_one)


def _print_entry(entry: dict[str, Any]) -> None:
    click.echo(f"{entry['queue_id']}  from <{harmless(entry['from'])}>, {render_octets(entry['size'])}")
    click.echo(f"  arrived {stamp(entry['arrived'])}, given up at {stamp(entry['expires'])}")
    for wish in wishes_of(entry):
        click.echo(f"  {wish}")
    for recipient in entry["recipients"]:
        hop = " ".join(filter(None, (recipient["courier"], recipient["next_hop"])))
        when = "held" if recipient["held"] else f"due {stamp(recipient['due'])}"
        tries = f"{recipient['attempts']} {'try' if recipient['attempts'] == 1 else 'tries'}"
        click.echo(f"  to <{harmless(recipient['to'])}> by {harmless(hop)}: {tries}, {when}")
        if recipient["last"]:
            click.echo(f"    {harmless(recipient['last_remote'] or 'this node')} said: {harmless(recipient['last'])}")


def _change(name: str, verb: str, help_text: str) -> None:
    @queue.command(name, help=help_text)
    @click.argument("queue_ids", nargs=-1)
    @click.option("--all", "everything", is_flag=True, help="The whole queue.")
    @with_filters
    @with_config
    def change(
        config: str | None,
        queue_ids: tuple[str, ...],
        domain: str | None,
        sender: str | None,
        older: str | None,
        *,
        everything: bool,
    ) -> None:
        filters = chosen(domain, sender, older)
        if not (queue_ids or everything or any(filters.values())):
            raise Trouble(f"queue {name}: name queue ids or a filter, or say --all", code=USAGE)
        settings = settings_from(config)
        count = 0
        for queue_id in queue_ids or ("",):
            request = {"command": f"queue.{name}", "queue_id": queue_id, **filters}
            count += ask(settings, request, show=json_line)["recipients"]
        click.echo(f"{count} recipient{'' if count == 1 else 's'} {verb}")


_change("hold", "held", "Let messages wait until they are released.")
_change("release", "released", "Let held messages go on, at once.")
_change("retry", "due now", "Try messages now that wait for their time.")
_change("remove", "removed", "Forget messages; nobody is told.")
