"""A self-signed certificate, the same kind for all servers: an ECDSA key on P-256, which makes the fastest handshakes."""

import shutil
import subprocess
from pathlib import Path

from attrs import frozen

from tests.kit.programs import find


@frozen
class Certificate:
    """A PEM file of each."""

    chain: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        """Make one in ``folder``; OSError or CalledProcessError when openssl cannot."""
        made = cls(folder / "fullchain.pem", folder / "privkey.pem")
        kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
        files = ["-keyout", str(made.key), "-out", str(made.chain), "-subj", "/CN=bench.test"]
        command = [find("openssl") or "openssl", "req", *kind, *files]
        subprocess.run(command, check=True, capture_output=True)
        return made

    def copied(self, folder: Path) -> "Certificate":
        """Give a copy in ``folder``, with a key that only its owner may read: some servers insist on that."""
        copy = Certificate(folder / self.chain.name, folder / self.key.name)
        for source, target in ((self.chain, copy.chain), (self.key, copy.key)):
            shutil.copy(source, target)
        copy.key.chmod(0o600)
        return copy
