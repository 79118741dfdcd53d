"""Find and read the configuration that a command is about."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mailnode.console.trouble import CONFIGURATION, Trouble
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.settings import NodeSettings
from mailnode.service.source import settings_for

VARIABLE = "MAILNODE_CONFIG"
PLACES = (Path("mailnode.toml"), Path("/etc/mailnode/mailnode.toml"))
"""Where a configuration is looked for when none is named."""

_HELP = f"The configuration file; else ${VARIABLE}, ./mailnode.toml, /etc/mailnode/mailnode.toml, the private node."


def with_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option ``--config``."""
    return click.option("-c", "--config", metavar="FILE", help=_HELP)(command)


def find(named: str | None) -> str | None:
    """Choose the configuration: the one named, the environment's, one that lies where it belongs, or None."""
    chosen = named or os.environ.get(VARIABLE)
    if chosen:
        return chosen
    return next((str(place) for place in PLACES if place.is_file()), None)


def settings_from(named: str | None) -> NodeSettings:
    """Read the settings; faults end the command with their report."""
    try:
        return settings_for(find(named), thorough=False)
    except ConfigurationFaults as faults:
        raise Trouble(str(faults), code=CONFIGURATION) from None
