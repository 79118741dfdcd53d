"""Postfix with its defaults, but for the folders, the port and where mail goes."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.server import Server
from tests.bench.site import DOMAIN, PASSWORD, USER
from tests.bench.software import said_by, version_in
from tests.kit.programs import find

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = postfix.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
disable_dns_lookups = yes
relayhost = [127.0.0.1]:1
transport_maps = texthash:{folder}/transport
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{group}
alias_maps =
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n -  0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -  - trivial-rewrite
bounce    unix  - - n -  0 bounce
defer     unix  - - n -  0 bounce
trace     unix  - - n -  0 bounce
verify    unix  - - n -  1 verify
proxymap  unix  - - n -  - proxymap
proxywrite unix - - n -  1 proxymap
smtp      unix  - - n -  - smtp
relay     unix  - - n -  - smtp
error     unix  - - n -  - error
retry     unix  - - n -  - error
virtual   unix  - n n -  - virtual
anvil     unix  - - n -  1 anvil
scache    unix  - - n -  1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
"""The services of Postfix's own master.cf that take part, outside a chroot, with their default limits."""

_TLS_MAIN = """\
smtpd_tls_security_level = may
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
"""

_TLS_MASTER = """\
tlsmgr    unix  - - n 1000? 1 tlsmgr
127.0.0.1:{port} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_auth_only=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path={folder}/dovecot/auth-client
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
"""
"""As the submission service of Postfix's own master.cf."""

_DOVECOT = """\
base_dir = {folder}/dovecot
state_dir = {folder}/dovecot-state
log_path = {folder}/dovecot.log
protocols =
ssl = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = nobody
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = {folder}/passwords
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home=/nonexistent
}}
service auth {{
  unix_listener auth-client {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
"""Whom Postfix asks about passwords."""

_DAEMONS = ("/usr/lib/postfix/sbin", "/usr/libexec/postfix")


class Postfix(Server):
    """The one that others are compared with."""

    name = "postfix"
    most_sessions = 100  # its default limit of processes

    @classmethod
    def absent(cls, software: Path) -> str:
        """Tell whether it is installed."""
        return "" if find("postfix") else "Postfix is not installed"

    @classmethod
    def version(cls, software: Path) -> str:
        """Ask the program."""
        return version_in(said_by(find("postconf") or "postconf", "-dh", "mail_version"))

    def write_configuration(self) -> None:
        """Write main.cf, master.cf and the tables."""
        folder = self.folder
        for name, owner in (("data", "postfix"), ("queue", "root")):
            (folder / name).mkdir()
            shutil.chown(folder / name, owner)
        shutil.chown(self.maildirs, "mail", "mail")  # virtual(8) never writes as root
        mail = self.maildirs.stat()
        shutil.chown(self.maildirs.parent, "mail", "mail")
        boxes = (f"{box}@{DOMAIN} {DOMAIN}/{box}/\n" for box in self.site.mailboxes)
        (folder / "mailboxes").write_text("".join(boxes))
        hops = (f"{hop} smtp:[{to}]:{self.site.next_hop_port}\n" for hop, to in self.site.next_hops.items())
        (folder / "transport").write_text("".join(hops))
        daemons = next(path for path in _DAEMONS if os.path.isdir(path))
        main = _MAIN.format(folder=folder, daemons=daemons, domain=DOMAIN, owner=mail.st_uid, group=mail.st_gid)
        master = _MASTER.format(port=self.port)
        if self.site.certificate:
            main += _TLS_MAIN.format(chain=self.site.certificate.chain, key=self.site.certificate.key)
            master += _TLS_MASTER.format(port=self.submission_port, folder=folder)
            self._write_passwords()
        (folder / "main.cf").write_text(main)
        (folder / "master.cf").write_text(master)

    def _write_passwords(self) -> None:
        folder, us = self.folder, pwd.getpwuid(os.geteuid())
        hashed = said_by(find("doveadm") or "doveadm", "pw", "-p", PASSWORD).strip()
        (folder / "passwords").write_text(f"{USER}:{hashed}\n")
        group = grp.getgrgid(us.pw_gid).gr_name
        text = _DOVECOT.format(folder=folder, user=us.pw_name, group=group, owner=self.maildirs.stat().st_uid)
        (folder / "dovecot.conf").write_text(text)

    def command(self) -> Sequence[str]:
        """Run ``master`` through postfix(1), and Dovecot beside it where there are passwords."""
        run = [find("postfix") or "postfix", "-c", str(self.folder), "start-fg"]
        if not self.site.certificate:
            return run
        # Both in one tree of processes, so that what passwords cost counts too.
        return ["/bin/sh", "-c", 'dovecot -F -c "$0" & exec "$@"', str(self.folder / "dovecot.conf"), *run]

    def stop(self) -> None:
        """Stop it its own way first: ``master`` alone knows all of its children."""
        if self._running is not None:
            command = [find("postfix") or "postfix", "-c", str(self.folder), "stop"]
            subprocess.run(command, stderr=subprocess.DEVNULL, check=False, timeout=60)
        super().stop()
