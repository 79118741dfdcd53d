"""How many files and connections the process may have open: as many as the system lets it.

Systems start programs with a soft limit of 1,024 for the sake of select(2), which nothing here uses; a mail host has more
sessions than that on a bad day. The hard limit is the administrator's and stays.
"""

import resource


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; give what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):
        return soft  # a system where "unlimited" cannot be had; the old limit holds
    return hard
