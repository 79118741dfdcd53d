"""Mail servers of aiosmtpd, an implementation that is not ours: TLS with any certificate, AUTH, what arrived and how."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from attrs import frozen

from tests.kit.pki import Identity
from tests.kit.ports import free_port
from tests.kit.waiting import until


@frozen
class Taken:
    """A message as it arrived."""

    recipients: tuple[str, ...]
    content: bytes
    is_secured: bool
    """It came over TLS."""
    is_authenticated: bool


class Smtpd:
    """One server on the loopback network; a context manager."""

    def __init__(
        self,
        identity: Identity,
        folder: Path,
        *,
        passwords: Mapping[str, str] | None = None,
        is_implicit: bool = False,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    ) -> None:
        """Prepare; with ``passwords`` (by name) it takes mail only from who has one of them."""
        self.taken: list[Taken] = []
        self.port = free_port()
        self._passwords = passwords or {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, identity.write(folder, f"smtpd-{self.port}")))
        self._controller = Controller(
            self,
            "127.0.0.1",
            self.port,
            ssl_context=context if is_implicit else None,
            tls_context=None if is_implicit else context,
            authenticator=self._check if passwords else None,
            # On a TLS port it counts its own TLS as none; there it offers AUTH and does not insist.
            auth_required=bool(passwords) and not is_implicit,
            auth_require_tls=not is_implicit,
            auth_exclude_mechanism=[name for name in ("PLAIN", "LOGIN") if name not in mechanisms],
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    def wait_for(self, recipient: str, seconds: float = 20.0) -> Taken:
        """Wait for a message to this recipient and give it."""
        until(lambda: any(recipient in one.recipients for one in self.taken), seconds, f"nothing came for {recipient}")
        return next(one for one in self.taken if recipient in one.recipients)

    def _check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        is_right = (
            isinstance(data, LoginPassword) and self._passwords.get(data.login.decode()) == data.password.decode()
        )
        return AuthResult(success=is_right, handled=False)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        """Take the message."""
        is_secured = session.ssl is not None or self._controller.ssl_context is not None
        self.taken.append(Taken(tuple(envelope.rcpt_tos), envelope.content, is_secured, bool(session.authenticated)))
        return "250 2.0.0 taken"
