"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side (RFC 5802, RFC 7677; tls-exporter: RFC 9266).

::

    C: gs2-header n=name,r=nonce             "n,,"  "y,,"  "p=tls-exporter,,", an authorization identity between commas
    S: r=both nonces,s=salt,i=iterations
    C: c=gs2-header and binding,r=nonces,p=proof
    S: v=signature                           as a challenge, which is answered with nothing: 235 has no room for it

The password does not travel, nor can whoever steals a verifier log in with it. An account that does not exist has a
verifier too, the same each time, and fails at the proof like any other. ``y`` says that the client could bind and thinks
that we cannot: where -PLUS was offered somebody in between has taken it away, and the exchange fails (section 6).
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from secrets import token_urlsafe

from attrs import frozen

from mailnode.authentication.plain import text_of
from mailnode.authentication.proof import Ground, claimed, guarded, refusal, settled, temporary
from mailnode.authentication.watch import Attempt
from mailnode.interfaces import Authenticated, Challenge, CredentialsTrouble, Refused, Verifier
from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer
from mailnode.smtp import replies

_FIRST = re.compile(
    r"(?P<header>(?P<flag>[ny]|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authorization>[^,=\0]*(?:=(?:2C|3D)[^,=\0]*)*))?,)"
    r"(?P<bare>n=(?P<name>[^,=\0]+(?:=(?:2C|3D)[^,=\0]*)*|(?:=(?:2C|3D)[^,=\0]*)+),r=(?P<nonce>[!-+\--~]{8,512})(?:,.*)?)"
)
"""client-first-message; m= (mandatory extensions) is not known here and so does not match (section 5.1)."""

_FINAL = re.compile(
    r"(?P<unproved>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+)(?:,.*)?),p=(?P<proof>[A-Za-z0-9+/=]+)"
)
"""client-final-message."""


@frozen
class First:
    """What the client said first."""

    header: str
    is_bound: bool
    binding: str
    bare: str
    name: str
    authorization: str
    nonce: str
    suspects: bool
    """The flag ``y``: it could bind, and thinks that we cannot."""


def read_first(response: bytes) -> First:
    """Read the client's first message; Refused when it is none."""
    found = _FIRST.fullmatch(text_of(response))
    if found is None:
        raise Refused(replies.CREDENTIALS_INVALID)
    return First(
        found["header"], found["binding"] is not None, found["binding"] or "", found["bare"], _unescaped(found["name"]),
        _unescaped(found["authorization"] or ""), found["nonce"], found["flag"] == "y",
    )  # fmt: skip


def _unescaped(name: str) -> str:
    return name.replace("=2C", ",").replace("=3D", "=")


class Scram:
    """One exchange; ``binds`` for -PLUS."""

    def __init__(self, ground: Ground, peer: Peer, *, binds: bool, offers_binding: bool) -> None:
        self._ground = ground
        self._peer = peer
        self._binds = binds
        self._offers_binding = offers_binding
        self._mechanism = "SCRAM-SHA-256-PLUS" if binds else "SCRAM-SHA-256"
        self._asked = False
        self._proved: Authenticated | None = None
        self._first: First | None = None
        self._account: Mailbox | None = None
        self._server_first = ""
        self._nonce = ""

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Take the next message of the client."""
        if response is None:
            return Challenge()
        if self._proved is not None:
            return self._end(response)
        if self._first is None:
            return await self._begin(read_first(response))
        return await self._prove(self._first, text_of(response))

    # --- the first message ------------------------------------------------------------------------------------

    async def _begin(self, first: First) -> Challenge | Authenticated:
        bindings = dict(self._peer.channel_bindings)
        is_wrong = first.is_bound != self._binds or (first.is_bound and first.binding not in bindings)
        if is_wrong or (first.suspects and self._offers_binding):
            raise Refused(replies.CREDENTIALS_INVALID)
        self._first = first
        self._account = self._ground.account(first.name)
        self._verifier = await self._of_account(self._account or Mailbox(first.name[:64], "invalid"))
        self._nonce = first.nonce + token_urlsafe(24)
        salt = b64encode(self._verifier.salt).decode("ascii")
        self._server_first = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        return Challenge(self._server_first.encode("ascii"))

    async def _of_account(self, account: Mailbox) -> Verifier:
        try:
            return await self._ground.credentials.verifier(account)
        except CredentialsTrouble as trouble:
            raise temporary(trouble) from None

    # --- the proof --------------------------------------------------------------------------------------------

    async def _prove(self, first: First, message: str) -> Challenge | Authenticated:
        attempt = await self._ground.watch.attempt(self._peer, claimed(first.name, self._account), self._mechanism)
        return await guarded(attempt, self._checked(attempt, first, message))

    async def _checked(self, attempt: Attempt, first: First, message: str) -> Challenge | Authenticated:
        found = _FINAL.fullmatch(message)
        account = self._account
        if found is None or account is None or not self._is_ours(first, found):
            raise await refusal(attempt, "no such account, or not its own proof")
        said = f"{first.bare},{self._server_first},{found['unproved']}".encode()
        if not is_proof(self._verifier, said, found["proof"]) or not self._ground.acts_as(first.authorization, account):
            raise await refusal(attempt, "no such account, or not its own proof")
        standing = await self._ground.credentials.standing(account)
        self._proved = await settled(attempt, account, standing, why="no such account")
        signature = hmac.digest(self._verifier.server_key, said, "sha256")
        return Challenge(b"v=" + b64encode(signature))

    def _is_ours(self, first: First, found: re.Match[str]) -> bool:
        """Tell whether the nonce is ours and the channel the one that both see."""
        data = dict(self._peer.channel_bindings).get(first.binding, b"") if first.is_bound else b""
        expected = b64encode(first.header.encode() + data).decode("ascii")
        is_same_channel = hmac.compare_digest(expected.encode(), found["binding"].encode())
        return is_same_channel and hmac.compare_digest(self._nonce.encode(), found["nonce"].encode())

    def _end(self, response: bytes) -> Authenticated:
        if response or self._proved is None:
            raise Refused(replies.CREDENTIALS_INVALID)
        return self._proved


def is_proof(verifier: Verifier, said: bytes, proof: str) -> bool:
    """Tell whether the proof fits the verifier and what was said (RFC 5802 section 3)."""
    try:
        octets = b64decode(proof, validate=True)
    except binascii.Error:
        octets = b""
    signature = hmac.digest(verifier.stored_key, said, "sha256")
    if len(octets) != len(signature):
        return False
    client_key = bytes(one ^ other for one, other in zip(signature, octets, strict=True))
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), verifier.stored_key)
