"""Where settings come from: a file, or where there is none, the private node."""

from pathlib import Path

from mailnode.service.settings import NodeSettings


def settings_for(path: str | None, *, thorough: bool = True) -> NodeSettings:
    """Read the file at ``path``, or take the private node's settings when there is none; raises ConfigurationFaults.

    Without ``thorough`` only form is looked at: enough for whoever wants to know where a running node is.
    """
    if path is None:
        from mailnode.service.private import private_settings  # noqa: PLC0415

        return private_settings()
    from mailnode.service.config import load  # noqa: PLC0415 - a private node needs no TOML and no cattrs

    return load(Path(path), thorough=thorough)
