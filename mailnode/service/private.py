"""The private node: what runs without a configuration, to be tried on a desk.

It listens on the loopback only, keeps its data beside whoever started it, gives every address at localhost a mailbox,
and lets nothing out.
"""

from mailnode.mail.quantity import Seconds
from mailnode.routing.settings import DomainSettings, RouteSettings
from mailnode.service.current import REFUSE
from mailnode.service.settings import ListenerSettings, NodeSettings, ProcessSettings
from mailnode.service.whereabouts import PRIVATE_DATA as DATA

SMTP_PORT = 2525
SUBMISSION_PORT = 2587

ANNOUNCEMENT = (
    f"This is a private node. SMTP: 127.0.0.1:{SMTP_PORT}, submission: 127.0.0.1:{SUBMISSION_PORT}. Mail for "
    f"anyone@localhost is put into {DATA}/mail/localhost/anyone (Maildir). Nothing leaves this machine. "
    "For more, write a configuration and start with --config FILE."
)


def private_settings() -> NodeSettings:
    """Make the settings of a private node."""
    return NodeSettings(
        node=ProcessSettings(hostname="localhost", data=DATA, stop_timeout=Seconds(5)),
        listener=(
            ListenerSettings("mx", "smtp", f"tcp:{SMTP_PORT}:interface=127.0.0.1"),
            ListenerSettings("submission", "submission", f"tcp:{SUBMISSION_PORT}:interface=127.0.0.1", "starttls"),
        ),
        domain=(DomainSettings(name="localhost", accounts="any"),),
        route=(RouteSettings(match="*", courier=REFUSE),),
    )
