"""chasquid: one process in Go; final delivery is a program of its own for each message."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.certificate import Certificate
from tests.bench.server import Server
from tests.bench.site import DOMAIN, PASSWORD, USER
from tests.bench.software import lacks, said_by, version_in
from tests.kit.programs import find

_CONFIGURATION = """\
hostname: "chasquid.{domain}"
data_dir: "{folder}/data"
smtp_address: "127.0.0.1:{port}"
mail_delivery_agent_bin: "{deliverer}"
mail_delivery_agent_args: "{maildirs}/%to_user%"
mail_log_path: "{folder}/mail.log"
dovecot_auth: false
"""

_USER = 'users: {{ key: "{name}" value: {{ plain: {{ password: "{name}" }} }} }}\n'


class Chasquid(Server):
    """Debian's chasquid; relays what aliases name, since without AUTH it relays nothing else."""

    name = "chasquid"
    user = "mail"
    says = (
        "no fsync of its queue; delivers with OpenSMTPD's mail.maildir, which has one; computes scrypt at each AUTH; "
        "its queue holds 200 messages, and while a next hop is silent it refuses more"
    )

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell what is missing."""
        if not find("openssl"):
            return "it needs a certificate, and openssl is not installed"
        return lacks(software / "chasquid/usr/bin/chasquid") or lacks(_deliverer(software))

    @classmethod
    def version(cls, software: Path) -> str:
        """Ask the program."""
        return version_in(said_by(software / "chasquid/usr/bin/chasquid", "-version"))

    def address(self, domain: str, local_part: str) -> str:
        """Write to the alias that stands for the next hop."""
        del local_part
        return f"{_alias(domain)}@{DOMAIN}"

    def write_configuration(self) -> None:
        """Write chasquid.conf, users, aliases, a certificate, and where names are to be asked."""
        folder = self.folder
        certificates = folder / "certs" / f"chasquid.{DOMAIN}"
        certificates.mkdir(parents=True)
        if self.site.certificate:
            self.site.certificate.copied(certificates)
        else:
            Certificate.make(certificates)  # it does not start without one
        domain = folder / "domains" / DOMAIN
        domain.mkdir(parents=True)
        (domain / "users").write_text("".join(_USER.format(name=box) for box in self.site.mailboxes))
        (domain / "aliases").write_text("".join(f"{_alias(hop)}: anyone@{hop}\n" for hop in self.site.next_hops))
        (folder / "data").mkdir()
        text = _CONFIGURATION
        if self.site.certificate:
            text += f'submission_address: "127.0.0.1:{self.submission_port}"\n'
        (folder / "chasquid.conf").write_text(
            text.format(
                domain=DOMAIN, folder=folder, port=self.port, deliverer=_deliverer(self.site.software),
                maildirs=self.maildirs,
            )
        )  # fmt: skip
        if self.site.certificate:
            util = self.site.software / "chasquid/usr/bin/chasquid-util"
            command = [str(util), f"-C={folder}", "user-add", USER, f"--password={PASSWORD}"]
            subprocess.run(command, check=True, capture_output=True, timeout=20.0)

    def command(self) -> Sequence[str]:
        """Run it; the port for next hops can only be set as a switch."""
        program = str(self.site.software / "chasquid/usr/bin/chasquid")
        return [program, "-config_dir", str(self.folder), "-testing__outgoing_smtp_port", str(self.site.next_hop_port)]


def _alias(hop: str) -> str:
    """Name the alias that stands for a next hop; dots do not count in its local parts."""
    return hop.partition(".")[0]


def _deliverer(software: Path) -> Path:
    return software / "opensmtpd/usr/libexec/opensmtpd/mail.maildir"
