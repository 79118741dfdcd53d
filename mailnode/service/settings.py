"""The settings of a node: the rooms' own settings under the headings of the configuration file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from attrs import Factory, frozen

from mailnode.authentication.settings import AuthSettings
from mailnode.certificates.settings import CertificateSettings
from mailnode.couriers.maildir import MaildirSettings
from mailnode.couriers.mbox import MboxSettings
from mailnode.couriers.smtp_settings import LmtpCourierSettings, SmtpCourierSettings
from mailnode.couriers.terminal_settings import TerminalSettings
from mailnode.gateways.settings import GatewaySettings
from mailnode.mail.quantity import Octets, Seconds
from mailnode.originator.settings import OriginatorSettings
from mailnode.queue.settings import QueueSettings
from mailnode.roles.customers import CustomerSettings
from mailnode.roles.fetch_settings import FetchSettings
from mailnode.roles.house import ReceptionSettings
from mailnode.roles.originator_settings import SubmissionSettings
from mailnode.roles.queue_start import EtrnSettings
from mailnode.routing.settings import DomainSettings, ResolverSettings, RouteSettings
from mailnode.sessions.settings import SessionSettings
from mailnode.spool.settings import SpoolSettings


@frozen
class ProcessSettings:
    """The node as a whole."""

    hostname: str = ""
    """The name it gives itself in greetings, trace fields and reports; empty: the system's full name."""
    data: str = "/var/lib/mailnode"
    """The folder that keeps everything: spool.db, content/, mail/, accounts.db, history.db, control.sock."""
    workers: int = 1
    """How many processes share the work: one for each core. Limits of [queue] are for all together, of [session] for each."""
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Clients from here may send to anywhere; all others only to domains that are ours."""
    stop_timeout: Seconds = Seconds(10)
    """How long a stop waits for messages past their final dot and for running deliveries."""

    @property
    def folder(self) -> Path:
        """Give ``data`` as a path."""
        return Path(self.data)


@frozen
class ListenerSettings:
    """A place where clients connect."""

    name: str = "mx"
    """Its name in logs; no two listeners share one."""
    service: Literal["smtp", "submission", "lmtp", "odmr"] = "smtp"
    """What is spoken there: smtp between servers, submission for people's programs, lmtp for another server's final delivery,
    odmr for customers who call for their mail (port 366)."""
    endpoint: str = "tcp:25"
    """Where it is, as a Twisted server endpoint: "tcp:25:interface=192.0.2.1", "tcp6:25", "unix:/run/lmtp.sock", "systemd:domain=INET:index=0"."""
    tls: Literal["none", "starttls", "implicit"] = "none"
    """Encryption: none, starttls (offered to all), or implicit (before the first word: ports 465 and the like)."""
    certificate: str = ""
    """A PEM file with the certificate and its chain; empty: those under [[certificate]], or without any a self-signed one."""
    private_key: str = ""
    """A PEM file with the certificate's key, not encrypted; empty: the key stands in the certificate's file."""
    auth: Literal["auto", "on", "off"] = "auto"
    """Whether clients can authenticate; auto: where people's programs connect (submission)."""
    auth_without_tls: bool = False
    """Let them authenticate in the clear too, so that whoever is on the way learns names and passwords."""
    client_ca: str = ""
    """A PEM file of authorities: clients are asked for a certificate, and named by it if one of these vouches for it."""
    proxy_from: tuple[str, ...] = ()
    """Networks of load balancers: from there a PROXY header (version 1 or 2) must come first; all others are clients themselves."""
    xclient_from: tuple[str, ...] = ()
    """Networks of fronts that may tell by XCLIENT for whom they speak."""
    allow_users: tuple[str, ...] = ()
    """Users of this machine who may connect to a unix socket, by name or number; empty: whoever may open its file."""
    max_size: Octets = Octets(0)
    """Octets of one message on this listener; 0: as many as reception.max_size says."""
    mode: str = "660"
    """Who may open the file of a unix socket, in octal: its owner and group, unless you say otherwise. Within the data folder
    nobody else may, whatever stands here."""


@frozen
class LogSettings:
    """What is written down, and how."""

    format: Literal["plain", "json"] = "plain"
    """A line for people, or a JSON object a line for programs."""
    level: Literal["debug", "info", "warn", "error", "critical"] = "info"
    """The least important level that is written."""
    file: str = ""
    """The file to write to; empty: where twistd's --logfile goes, or the terminal."""


@frozen
class HistorySettings:
    """What ``mailnode trace`` remembers."""

    keep: Seconds = Seconds(7 * 86400)
    """How long the steps of a message are kept; "0s" keeps none."""
    max_events: int = 1_000_000
    """Steps kept at most; the oldest go first."""


@frozen
class NodeSettings:
    """All settings; each field is a heading of the configuration file."""

    node: ProcessSettings = Factory(ProcessSettings)
    listener: tuple[ListenerSettings, ...] = ()
    certificate: tuple[CertificateSettings, ...] = ()
    domain: tuple[DomainSettings, ...] = ()
    route: tuple[RouteSettings, ...] = ()
    gateway: Mapping[str, GatewaySettings] = Factory(dict)
    customer: tuple[CustomerSettings, ...] = ()
    etrn: EtrnSettings = Factory(EtrnSettings)
    fetch: tuple[FetchSettings, ...] = ()
    resolver: ResolverSettings = Factory(ResolverSettings)
    queue: QueueSettings = Factory(QueueSettings)
    spool: SpoolSettings = Factory(SpoolSettings)
    session: SessionSettings = Factory(SessionSettings)
    auth: AuthSettings = Factory(AuthSettings)
    reception: ReceptionSettings = Factory(ReceptionSettings)
    submission: SubmissionSettings = Factory(SubmissionSettings)
    originator: OriginatorSettings = Factory(OriginatorSettings)
    smtp: SmtpCourierSettings = Factory(SmtpCourierSettings)
    lmtp: LmtpCourierSettings = Factory(LmtpCourierSettings)
    maildir: MaildirSettings = Factory(MaildirSettings)
    mbox: MboxSettings = Factory(MboxSettings)
    terminal: TerminalSettings = Factory(TerminalSettings)
    log: LogSettings = Factory(LogSettings)
    history: HistorySettings = Factory(HistorySettings)
