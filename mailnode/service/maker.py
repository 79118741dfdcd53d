"""What ``twistd mailnode`` calls: one option, and the service made from the settings it names."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from twisted.application.service import IService
from twisted.python import usage

from mailnode.service.cycles import search_seldom, spare_what_is
from mailnode.service.faults import ConfigurationFaults
from mailnode.service.logs import LogLines
from mailnode.service.settings import NodeSettings
from mailnode.service.source import settings_for
from mailnode.service.trouble import StartFailed


class Options(usage.Options):
    """The command line of the plugin."""

    longdesc = "A mail server. Without a configuration: a private node on the loopback, from which nothing leaves."
    optParameters = [["config", "c", None, "The configuration file (TOML)."]]  # noqa: RUF012 - Twisted's form


def makeService(options: Options) -> IService:
    """Make the node; faults of the configuration end the process with a report and exit code 1."""
    search_seldom()
    from twisted.internet import reactor  # noqa: PLC0415, TID251 - the one place that may name it

    from mailnode.service.node import Node  # noqa: PLC0415 - it names every room; the command line has been read first

    path = None if options["config"] is None else str(Path(options["config"]).absolute())
    try:
        settings = settings_for(path)
    except ConfigurationFaults as faults:
        raise SystemExit(str(faults)) from None
    sys.excepthook = _explain
    twistd: Mapping[str, Any] = options.parent or {}
    owner = (twistd.get("uid"), twistd.get("gid"))
    try:
        lines = _log_lines(settings, twistd, reactor)
    except OSError as error:
        raise SystemExit(f"mailnode: the log cannot be written: {error}") from None
    reactor.callWhenRunning(spare_what_is)
    return Node(
        settings,
        reactor=reactor,
        read=lambda: settings_for(path),
        lines=lines,
        announcement=_announcement(path),
        owner=owner,
    )


def _announcement(path: str | None) -> str:
    if path is not None:
        return ""
    from mailnode.service.private import ANNOUNCEMENT  # noqa: PLC0415

    return ANNOUNCEMENT


def _log_lines(settings: NodeSettings, twistd: Mapping[str, Any], clock: Any) -> LogLines | None:
    """Make our log, which goes where twistd's would; None when twistd was asked for another kind."""
    if twistd.get("syslog") or twistd.get("logger"):
        return None
    named = settings.log.file or twistd.get("logfile") or ("" if twistd.get("nodaemon") else "twistd.log")
    path = None if named in ("", "-") else Path(named).absolute()
    uid, gid = (-1 if twistd.get(name) is None else twistd[name] for name in ("uid", "gid"))
    return LogLines(settings.log, path, sys.stdout, clock, (uid, gid))


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell why the start failed in one line; all else is a bug and keeps its traceback."""
    if isinstance(error, StartFailed):
        # By now twistd has turned sys.stderr into a log.
        (sys.__stderr__ or sys.stderr).write(f"mailnode: {error}\n")
    else:
        sys.__excepthook__(kind, error, trace)
