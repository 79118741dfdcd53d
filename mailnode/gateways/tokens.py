"""Signed words: what we give to others and take back only if it is ours (HMAC-SHA256, compared in constant time).

The key lies in the data folder, made once, readable by nobody else. All tokens are lower case, so that they survive in a
local part, and stable: the same value gives the same token for as long as the key lives.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from attrs import field, frozen

KEY_OCTETS = 32
_MAC = 10


@frozen
class Signer:
    """Signs with one key."""

    key: bytes = field(repr=False)

    def mac(self, purpose: str, value: str) -> str:
        """Give sixteen characters that only we can make for this value."""
        digest = hmac.digest(self.key, f"{purpose}\0{value}".encode(), "sha256")
        return base64.b32encode(digest[:_MAC]).decode().lower()

    def is_ours(self, purpose: str, value: str, mac: str) -> bool:
        """Tell whether ``mac`` was made by us for this value."""
        return hmac.compare_digest(self.mac(purpose, value).encode(), mac.lower().encode())

    def sealed(self, purpose: str, value: str) -> str:
        """Write a value with its signature, both as letters and digits: ``value.mac``."""
        written = base64.b32encode(value.encode()).decode().rstrip("=").lower()
        return f"{written}.{self.mac(purpose, value)}"

    def opened(self, purpose: str, token: str) -> str | None:
        """Give the value of ``sealed`` back; None for what is not ours."""
        written, _, mac = token.lower().rpartition(".")
        try:
            value = base64.b32decode(written.upper() + "=" * (-len(written) % 8)).decode()
        except ValueError:
            return None
        return value if value and self.is_ours(purpose, value, mac) else None


def load_key(path: Path) -> bytes:
    """Read the key, or make it if there is none; several processes may do so at once. Raises OSError."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        made = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(KEY_OCTETS))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with contextlib.suppress(FileExistsError):  # whoever comes second takes the first one's
            os.link(made, path)
        made.unlink()
        key = path.read_bytes()
    if len(key) < KEY_OCTETS:
        raise OSError(f"{path} holds no key: it is too short")
    return key


def key_of(*parts: str) -> str:
    """Give an idempotency key: the same parts give the same 32 characters, on every attempt and after a restart."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]
