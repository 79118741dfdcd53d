"""The limit of open files."""

import subprocess
import sys

_SCRIPT = """
import resource
from mailnode.service.limits import raise_file_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(100, hard), hard))
print(raise_file_limit() == hard == resource.getrlimit(resource.RLIMIT_NOFILE)[0], raise_file_limit() == hard)
"""


def test_the_soft_limit_becomes_the_hard_one() -> None:
    """A process may have as many files open as its administrator allows, however it was started."""
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "True"]
