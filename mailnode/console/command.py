"""The ``mailnode`` command: its subcommands, and how it ends."""

import sys
from datetime import UTC, datetime

import click

from mailnode import __version__
from mailnode.console.account import account
from mailnode.console.configuration import find, with_config
from mailnode.console.fetch import fetch
from mailnode.console.queue import queue
from mailnode.console.reading import explain, trace
from mailnode.console.send import send
from mailnode.console.sendmail_command import sendmail
from mailnode.console.trouble import USAGE, Trouble
from mailnode.console.uucp import rbsmtp_command, rmail_command
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.outgoing_faults import exposed_passwords
from mailnode.service.source import settings_for
from mailnode.service.tls_faults import warnings_in


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mailnode")
def mailnode() -> None:
    """Look after a mail node. The node itself is started with: twistd -n mailnode --config FILE."""


@mailnode.command()
@with_config
def check(config: str | None) -> None:
    """Report every fault of the configuration; exit with 1 if there is one."""
    path = find(config)
    try:
        settings = settings_for(path)
    except ConfigurationFaults as faults:
        click.echo(str(faults), err=True)
        sys.exit(1)
    now = datetime.now(UTC).timestamp()  # noqa: TID251 - a command has no other clock
    for warning in (*warnings_in(settings, now), *exposed_passwords(settings)):
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"{path or 'the private node (there is no configuration file)'}: no faults")


for _command in (send, sendmail, rmail_command, rbsmtp_command, account, queue, fetch, explain, trace):
    mailnode.add_command(_command)


def main() -> None:
    """Run the command; errors of usage exit with 64, as sysexits.h has it."""
    try:
        mailnode.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(USAGE)
    except Trouble as trouble:
        trouble.show()
        sys.exit(trouble.code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has enough; nothing more to say
        sys.exit(0)
