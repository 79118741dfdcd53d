"""``mailnode sendmail``: the sendmail twin under the one command, its words untouched."""

import sys
from typing import Any

import click

from mailnode.console.sendmail import run


class Verbatim(click.Command):
    """A command that reads its own words, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take every word as it is."""
        ctx.params["arguments"] = tuple(args)
        return []


@click.command(cls=Verbatim, options_metavar="[OPTIONS] [RECIPIENT]...")
def sendmail(**given: Any) -> None:
    """Take a message from standard input and send it, as programs expect of sendmail; also -bs, -bp (mailq) and -q.

    Link mailnode-sendmail as /usr/sbin/sendmail, mailq and newaliases to let cron and mail(1) use it.
    """
    sys.exit(run("sendmail", given["arguments"]))
