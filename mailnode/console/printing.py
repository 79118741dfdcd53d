"""Show answers: JSON for programs, a table on a terminal, columns parted by tabs elsewhere."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from mailnode.mail.quantity import render_octets

Item = dict[str, Any]
Row = Sequence[str]


def stamp(moment: float) -> str:
    """Write a moment in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) if moment else "-"


def json_line(item: Item) -> None:
    """Print an item as one line of JSON."""
    click.echo(json.dumps(item, ensure_ascii=False))


class Columns:
    """Rows as they come: at once where a program reads, as one table at the end where a person does."""

    def __init__(self, headings: Row) -> None:
        self._headings = headings
        self._rows: list[Row] | None = [] if sys.stdout.isatty() else None

    def add(self, row: Row) -> None:
        """Show one more row."""
        clean = [harmless(cell) for cell in row]
        if self._rows is None:
            click.echo("\t".join(clean))
        else:
            self._rows.append(clean)
            if len(self._rows) >= 1000:
                self.end()

    def end(self) -> None:
        """Show what has not been shown yet."""
        if self._rows:
            _print_table(self._headings, self._rows)
            self._rows.clear()


def harmless(text: str) -> str:
    """Escape what a terminal would obey; addresses and replies come from strangers."""
    return text if text.isprintable() else "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _print_table(headings: Row, rows: Sequence[Row]) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - only a person at a terminal waits for it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*headings, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def wishes_of(entry: Item) -> list[str]:
    """Say what the sender wished for the delivery."""
    wishes = [
        (entry.get("held_until"), lambda: f"its sender lets it wait until {stamp(entry['held_until'])}"),
        (entry.get("deliver_by"), lambda: f"to be delivered by {stamp(entry['deliver_by'])}"),
        (entry.get("priority"), lambda: f"priority {entry['priority']}"),
    ]
    return [say() for is_there, say in wishes if is_there]


def _due(recipient: Item, entry: Item) -> str:
    """Tell a message that its sender lets wait from one that waits for its next try."""
    until = entry.get("held_until", 0)
    return f"held until {stamp(until)}" if until and recipient["due"] <= until else stamp(recipient["due"])


QUEUE_HEADINGS = ("queue id", "arrived", "size", "from", "to", "next hop", "tries", "due", "last answer")


def queue_rows(add: Callable[[Row], None], entry: Item) -> None:
    """Show an entry of the queue: a row for each recipient."""
    for recipient in entry["recipients"]:
        hop = ":".join(filter(None, (recipient["courier"], recipient["next_hop"])))
        due = "held" if recipient["held"] else _due(recipient, entry)
        add(
            (
                entry["queue_id"], stamp(entry["arrived"]), render_octets(entry["size"]), entry["from"] or "<>",
                recipient["to"], hop, str(recipient["attempts"]), due, recipient["last"] or "-",
            )
        )  # fmt: skip
