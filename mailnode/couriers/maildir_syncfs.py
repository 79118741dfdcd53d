"""syncfs(2): one call that makes a whole file system durable, where fsync(2) does it file by file.

Python has no name for it, so libc is asked directly. It is used only where it tells the truth: before Linux 5.8 it gave
success also when a page could not be written back, and a checkpoint must never believe that.
"""

import ctypes
import os
import platform
import re
from functools import cache
from typing import Any

_FIRST_HONEST = (5, 8)
"""The first Linux whose syncfs reports what could not be written."""


@cache
def is_supported() -> bool:
    """Tell whether this system has a syncfs that reports errors."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    if platform.system() != "Linux" or found is None:
        return False
    return (int(found[1]), int(found[2])) >= _FIRST_HONEST and _call() is not None


def syncfs(descriptor: int) -> None:
    """Make durable all that was written before to the file system of ``descriptor``.

    OSError when anything on it could not be written since the descriptor was opened or last asked: whoever wants to
    hear of every error keeps one descriptor open for as long as there is something to lose.
    """
    call = _call()
    if call is None:
        raise OSError(None, "no syncfs here")
    if call(descriptor):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@cache
def _call() -> Any:
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is not None:
        call.argtypes = (ctypes.c_int,)
        call.restype = ctypes.c_int
    return call
