"""Find and read the configuration that a command is about."""

from collections.abc import Callable
from typing import Any

import click

from mailnode.console.trouble import CONFIGURATION, Trouble
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.settings import NodeSettings
from mailnode.service.source import settings_for
from mailnode.service.whereabouts import VARIABLE, find

_HELP = f"The configuration file; else ${VARIABLE}, ./mailnode.toml, /etc/mailnode/mailnode.toml, the private node."


def with_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option ``--config``."""
    return click.option("-c", "--config", metavar="FILE", help=_HELP)(command)


def settings_from(named: str | None) -> NodeSettings:
    """Read the settings; faults end the command with their report."""
    try:
        return settings_for(find(named), thorough=False)
    except ConfigurationFaults as faults:
        raise Trouble(str(faults), code=CONFIGURATION) from None


__all__ = ["find", "settings_from", "with_config"]
