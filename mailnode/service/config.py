"""Read the configuration: TOML in, frozen settings out, or every fault at once.

The settings classes are the schema: their fields are the keys, their annotations say what may stand there
(``structuring``), their defaults hold where nothing is written. What concerns more than one key is looked at in ``checks``.
"""

import tomllib
from pathlib import Path
from typing import Any

import attrs

from mailnode.service.faults import ConfigurationFaults, Fault, faults_of, without
from mailnode.service.settings import NodeSettings
from mailnode.service.structuring import converter

LARGEST = 4 << 20
"""Octets of a configuration file that are read at most; a larger one is some other file."""


def load(path: Path, *, thorough: bool = True) -> NodeSettings:
    """Read the file at ``path``; raises ConfigurationFaults, also when the file cannot be read."""
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationFaults(str(path), [Fault(("file",), f"cannot be read: {reason}")]) from error
    if len(octets) > LARGEST:
        raise ConfigurationFaults(str(path), [Fault(("file",), "is too large to be a configuration")])
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise ConfigurationFaults(str(path), [Fault((f"line {line}",), "is not UTF-8")]) from error
    return parse(text, source=str(path), thorough=thorough, folder=path.absolute().parent)


def parse(text: str, *, source: str, thorough: bool = True, folder: Path | None = None) -> NodeSettings:
    """Read TOML; ``source`` names it in the report. What needs more than form is looked at only when ``thorough``.

    Files of gateways are looked for in ``folder``, that of the configuration.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationFaults(source, [_syntax_fault(str(error))]) from error
    known: list[Fault] = []
    settings = _settled(_structured(table, known), folder or Path.cwd())
    if thorough or known:
        from mailnode.service.checks import faults_in  # noqa: PLC0415 - it needs half of the node to judge

        known += [fault for fault in faults_in(settings) if not _is_below(fault, known)]
    if known:
        raise ConfigurationFaults(source, known)
    return settings


def _structured(table: dict[str, Any], known: list[Fault]) -> NodeSettings:
    """Make settings of the table; what is faulty goes into ``known`` and counts as not written, so that the rest is seen too."""
    made = converter()
    for _ in range(3):
        try:
            with attrs.validators.disabled():  # ``_validated`` runs them, one by one, so that each has its path
                return made.structure(table, NodeSettings)
        except Exception as error:  # noqa: BLE001 - cattrs raises groups of whatever went wrong inside
            for fault in faults_of(error):
                known.append(fault)
                without(table, fault.steps)
    return NodeSettings()


def _settled(settings: NodeSettings, folder: Path) -> NodeSettings:
    """Write the files of gateways as whole paths: a daemon works in another folder."""
    if not any(".py:" in one.kind for one in settings.gateway.values()):
        return settings
    gateways = {}
    for name, one in settings.gateway.items():
        file, _, found = one.kind.rpartition(":")
        gateways[name] = attrs.evolve(one, kind=f"{folder / file}:{found}") if file.endswith(".py") else one
    return attrs.evolve(settings, gateway=gateways)


def _is_below(fault: Fault, known: list[Fault]) -> bool:
    return any(fault.steps[: len(other.steps)] == other.steps for other in known)


def _syntax_fault(message: str) -> Fault:
    problem, _, place = message.partition(" (at ")
    return Fault((place.rstrip(")") or "syntax",), f"this is not TOML: {problem}")
