"""The queue as mailq shows it, and running it, for the sendmail twin."""

import time
from typing import Any

import click

from mailnode.console.configuration import settings_from
from mailnode.console.link import ask
from mailnode.console.printing import harmless
from mailnode.console.trouble import Trouble

Item = dict[str, Any]

_HEADING = f"{'-Queue ID-':<17} {'--Size--':>8} {'----Arrival Time----':<20} -Sender/Recipient-------"


def show(configuration: str | None) -> int:
    """Print the queue; give the exit code."""
    totals = [0, 0]

    def show_one(entry: Item) -> None:
        if not totals[0]:
            click.echo(_HEADING)
        totals[0] += 1
        totals[1] += entry["size"]
        _print_entry(entry)

    code = _asked(configuration, {"command": "queue.list"}, show_one)
    if code:
        return code
    if totals[0]:
        click.echo(f"-- {-(-totals[1] // 1024)} Kbytes in {totals[0]} Request{'' if totals[0] == 1 else 's'}.")
    else:
        click.echo("Mail queue is empty")
    return 0


def _print_entry(entry: Item) -> None:
    recipients = entry["recipients"]
    mark = "!" if any(one["held"] for one in recipients) else " "
    arrived = time.strftime("%a %b %e %H:%M:%S", time.localtime(entry["arrived"]))
    sender = harmless(entry["from"]) or "MAILER-DAEMON"
    click.echo(f"{entry['queue_id'] + mark:<17} {entry['size']:>8} {arrived:<20} {sender}")
    for one in recipients:
        if one["last"]:
            click.echo(f"{'(' + harmless(one['last']) + ')':>80}")
        click.echo(f"{'':<48}{harmless(one['to'])}")
    click.echo()


def retry(configuration: str | None, *, queue_id: str, domain: str) -> int:
    """Make what waits due now; give the exit code."""
    request = {"command": "queue.retry", "queue_id": queue_id, "domain": domain}
    return _asked(configuration, request, lambda _: None)


def _asked(configuration: str | None, request: Item, show_one: Any) -> int:
    try:
        ask(settings_from(configuration), request, show=show_one)
    except Trouble as trouble:
        trouble.show()
        return trouble.code
    return 0
