"""Everything an author of a gateway imports: ``from mailnode.gateways.api import Delivered, Gateway``."""

from mailnode.gateways.adapting import (
    Adapted,
    Attachment,
    AttachmentPolicy,
    attachments_of,
    best_text,
    header_line,
    html_to_text,
    in_charset,
    selected,
    shortened,
    with_attachments,
)
from mailnode.gateways.addresses import AddressBook
from mailnode.gateways.breaker import Rates
from mailnode.gateways.composing import Draft
from mailnode.gateways.flowed import from_flowed, to_flowed
from mailnode.gateways.gateway import Answer, Gateway
from mailnode.gateways.http import HttpClient, HttpResponse
from mailnode.gateways.message import OutgoingMessage, OutgoingRecipient
from mailnode.gateways.node import AllRefused, GatewayNode, Submitted
from mailnode.gateways.outcomes import Delayed, Delivered, Failed, Outcome, Relayed, Trouble
from mailnode.gateways.quotations import own_words
from mailnode.gateways.settings import parse_rate
from mailnode.gateways.tables import Tables
from mailnode.gateways.tokens import Signer, load_key
from mailnode.gateways.trouble import http_outcome
from mailnode.interfaces import Disk, Refused
from mailnode.mail.address import NULL, Mailbox, parse_mailbox
from mailnode.mail.quantity import Octets, Seconds
from mailnode.mail.reply import Reply

__all__ = [
    "NULL",
    "Adapted",
    "AddressBook",
    "AllRefused",
    "Answer",
    "Attachment",
    "AttachmentPolicy",
    "Delayed",
    "Delivered",
    "Disk",
    "Draft",
    "Failed",
    "Gateway",
    "GatewayNode",
    "HttpClient",
    "HttpResponse",
    "Mailbox",
    "Octets",
    "Outcome",
    "OutgoingMessage",
    "OutgoingRecipient",
    "Rates",
    "Refused",
    "Relayed",
    "Reply",
    "Seconds",
    "Signer",
    "Submitted",
    "Tables",
    "Trouble",
    "attachments_of",
    "best_text",
    "from_flowed",
    "header_line",
    "html_to_text",
    "http_outcome",
    "in_charset",
    "load_key",
    "own_words",
    "parse_mailbox",
    "parse_rate",
    "selected",
    "shortened",
    "to_flowed",
    "with_attachments",
]
