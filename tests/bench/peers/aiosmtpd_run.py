"""aiosmtpd with its own Mailbox and Proxy handlers, one Mailbox for each local part; run by the Python that has it.

Arguments: a JSON object with port, lmtp_port, domain, maildirs, hops (domain to address) and hop_port;
submission_port, user, password and certificate (chain and key, or null).
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aiosmtpd.handlers import Mailbox, Proxy
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

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


def _context() -> ssl.SSLContext | None:
    if SITE["certificate"] is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*SITE["certificate"])
    return context


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
) -> AuthResult:
    del server, session, envelope, mechanism
    is_good = (data.login, data.password) == (SITE["user"].encode(), SITE["password"].encode())
    return AuthResult(success=is_good)


async def serve() -> None:
    """Listen until told to stop."""
    loop, sorter = asyncio.get_running_loop(), Sorter()
    context = _context()
    kinds: list[tuple[int, Callable[..., SMTP]]] = [
        (SITE["port"], partial(SMTP, tls_context=context)),
        (SITE["lmtp_port"], LMTP),
    ]
    if context is not None:
        submission = partial(SMTP, tls_context=context, authenticator=_authenticate, auth_required=True)
        kinds.append((SITE["submission_port"], submission))
    for port, kind in kinds:
        await loop.create_server(partial(kind, sorter, hostname="aiosmtpd.bench.test"), "127.0.0.1", port, backlog=1000)
    await asyncio.Event().wait()


asyncio.run(serve())
