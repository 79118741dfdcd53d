"""aiosmtpd with its own Mailbox and Proxy handlers, one Mailbox for each local part; run by the Python that has it.

Arguments: a JSON object with port, lmtp_port, domain, maildirs, hops (domain to address) and hop_port.
"""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

from aiosmtpd.handlers import Mailbox, Proxy
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

SITE = json.loads(sys.argv[1])


class Sorter:
    """Hands each message to the handler of its first recipient."""

    def __init__(self) -> None:
        self._boxes: dict[str, Mailbox] = {}
        self._hops = {name: Proxy(address, SITE["hop_port"]) for name, address in SITE["hops"].items()}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep or relay."""
        local_part, _, domain = envelope.rcpt_tos[0].rpartition("@")
        if domain != SITE["domain"]:
            relayed: str = await self._hops[domain].handle_DATA(server, session, envelope)
            return relayed
        if local_part not in self._boxes:
            self._boxes[local_part] = Mailbox(Path(SITE["maildirs"]) / local_part)
        answer: str = await self._boxes[local_part].handle_DATA(server, session, envelope)
        return answer


async def serve() -> None:
    """Listen until told to stop."""
    loop, sorter = asyncio.get_running_loop(), Sorter()
    for kind, port in ((SMTP, SITE["port"]), (LMTP, SITE["lmtp_port"])):
        await loop.create_server(partial(kind, sorter, hostname="aiosmtpd.bench.test"), "127.0.0.1", port, backlog=1000)
    await asyncio.Event().wait()


asyncio.run(serve())
