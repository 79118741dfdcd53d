"""What ``twistd mailnode`` calls: one option, and the service made from the settings it names."""

import sys
from pathlib import Path
from types import TracebackType

from twisted.application.service import IService
from twisted.python import usage

from mailnode.service.faults import ConfigurationFaults
from mailnode.service.settings import NodeSettings


class Options(usage.Options):
    """The command line of the plugin."""

    longdesc = "A mail server. Without a configuration: a private node on the loopback, from which nothing leaves."
    optParameters = [["config", "c", None, "The configuration file (TOML)."]]  # noqa: RUF012 - Twisted's form


class StartFailed(Exception):
    """The node cannot start; the message says why in one line."""


def settings_for(path: str | None) -> NodeSettings:
    """Read the file at ``path``, or take the private node's settings when there is none."""
    if path is None:
        from mailnode.service.private import private_settings  # noqa: PLC0415

        return private_settings()
    from mailnode.service.config import load  # noqa: PLC0415 - a private node needs no TOML and no cattrs

    return load(Path(path).absolute())


def makeService(options: Options) -> IService:  # noqa: N802 - Twisted's name
    """Make the node; faults of the configuration end the process with a report and exit code 1."""
    from twisted.internet import reactor  # noqa: PLC0415, TID251 - the one place that may name it

    from mailnode.service.node import Node  # noqa: PLC0415

    try:
        settings = settings_for(options["config"])
    except ConfigurationFaults as faults:
        raise SystemExit(str(faults)) from None
    sys.excepthook = _explain
    path = options["config"]
    return Node(settings, reactor=reactor, path=None if path is None else Path(path).absolute())


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell why the start failed in one line; all else is a bug and keeps its traceback."""
    if isinstance(error, StartFailed):
        sys.stderr.write(f"mailnode: {error}\n")
    else:
        sys.__excepthook__(kind, error, trace)
