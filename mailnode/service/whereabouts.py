"""Where a node's configuration and its data folder are, for programs that need nothing else of it.

The sendmail twin runs for every user and every job of cron: it must start quickly, and may not be able to read the
configuration, which can hold secrets. So only one value is looked for here, and the rest of the file is not judged.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "MAILNODE_CONFIG"
PLACES = (Path("mailnode.toml"), Path("/etc/mailnode/mailnode.toml"))
"""Where a configuration is looked for when none is named."""
DATA_VARIABLE = "MAILNODE_DATA"
"""Names the data folder for whoever may not read the configuration."""
DATA = "/var/lib/mailnode"
"""The data folder when the configuration names none."""
PRIVATE_DATA = "mailnode-data"
"""The data folder of the private node, which runs without a configuration."""


class Unreadable(Exception):  # noqa: N818 - it is a state
    """The configuration that was named cannot be used; the message is one line."""


def find(named: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Choose the configuration: the one named, the environment's, one that lies where it belongs, or None."""
    chosen = named or environment.get(VARIABLE)
    if chosen:
        return chosen
    return next((str(place) for place in PLACES if _is_file(place)), None)


def _is_file(place: Path) -> bool:
    try:
        return place.is_file()
    except OSError:
        return False


def data_folder(named: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Find the data folder of the node that a program of any user means; raises Unreadable."""
    if environment.get(DATA_VARIABLE) and named is None:
        return Path(environment[DATA_VARIABLE])
    path = find(named, environment)
    if path is None:
        return Path(PRIVATE_DATA)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - it may be any name that was typed
            table = tomllib.load(file)
    except PermissionError:
        return Path(DATA)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    node = table.get("node", {})
    data = node.get("data", DATA) if isinstance(node, dict) else DATA
    return Path(data if isinstance(data, str) else DATA)
