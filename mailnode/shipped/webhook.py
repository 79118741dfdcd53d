"""Mail becomes an HTTP POST: the raw message, JSON, or a form with files.

Each request bears ``Idempotency-Key`` (the same on every attempt), ``traceparent`` (W3C Trace Context), ``X-Mailnode-Mark`` (to be
given back with mail that answers, see ``mailnode.gateways``) and, with a ``secret``, a signature::

    X-Mailnode-Signature: t=1800000000,v1=hex(HMAC-SHA256(secret, "1800000000." + body))

``t`` is when the request was made, in seconds since the epoch; the body is signed as it is sent, octet for octet. The other side
computes the same with the secret as UTF-8, compares in constant time, and turns away what is older than some minutes, so that a
request that was overheard is worth nothing later; within those minutes the Idempotency-Key tells a repetition. Each attempt is signed
anew. Parts of the field with other names than ``t`` and ``v1`` are to be passed over. In Python::

    parts = dict(part.split("=", 1) for part in field.split(","))
    mac = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, "sha256").hexdigest()
    is_good = hmac.compare_digest(mac, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300

The header fields are not signed, so in the form ``raw`` the envelope is not either; TLS is what keeps those. Certificates are
verified, redirects are not followed (one counts as trouble that an operator mends: the mail waits), and of an answer no more is
read than its bounds allow. Where the URL leads is the operator's choice alone and nothing in a mail can change it, so private
addresses are not refused: a hook in one's own network is what many want. The body is described by etc/gateways/webhook.openapi.json.

2xx is success. 408, 425, 429 and 5xx are tried again, as are 401 and 403, which the operator can mend; other 4xx bounce.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from attrs import define, field

from mailnode.gateways.api import (
    Answer,
    Delayed,
    Delivered,
    Failed,
    Gateway,
    Outcome,
    OutgoingMessage,
    OutgoingRecipient,
    Seconds,
    header_line,
    http_outcome,
)
from mailnode.shipped.forms import described, json_form, raw_form


@define
class Webhook(Gateway):
    """Posts mail to a URL."""

    url: str = field()
    """Where to."""
    form: Literal["json", "raw", "multipart"] = "json"
    """json: fields and text, attachments in base64; raw: the message as it is; multipart: a form with files."""
    secret: str = field(default="", repr=False)
    """The key of the signature; empty: none."""
    token: str = field(default="", repr=False)
    """A bearer token for Authorization; empty: none."""
    each: bool = False
    """A request for each recipient, in place of one for all."""
    headers: Mapping[str, str] = field(factory=dict)
    """Further header fields of the request."""
    timeout: Seconds = Seconds(60)
    """How long one request may take."""
    statuses: Mapping[str, Literal["delivered", "delayed", "failed"]] = field(factory=dict)
    """What a status means, where it is not what HTTP says: ``404 = "delayed"``."""

    takes_automatic: ClassVar[bool] = True
    needs: ClassVar[Sequence[str]] = ("treq (mailnode[gateways])",)

    @url.validator
    def _check_url(self, _: object, value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f'expected a URL such as "https://example.net/mail", not "{value}"')

    @statuses.validator
    def _check_statuses(self, _: object, value: Mapping[str, str]) -> None:
        wrong = [status for status in value if not (status.isascii() and status.isdigit() and len(status) == 3)]
        if wrong:
            raise ValueError(f"expected statuses of HTTP, not {', '.join(wrong)}")

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Post it, once for all or once for each."""
        if not self.each:
            return await self._post(message, recipients, message.key)
        answers: dict[OutgoingRecipient, Outcome] = {}
        for one in recipients:
            try:
                answers[one] = await self._post(message, [one], one.key)
            except (ConnectionError, TimeoutError) as problem:
                answers[one] = Delayed(str(problem) or type(problem).__name__, "4.4.1", is_unreachable=True)
        return answers

    async def _post(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient], key: str) -> Outcome:
        content_type, body = _FORMS[self.form](message, recipients)
        headers = {
            **self.headers,
            "Content-Type": content_type,
            "Idempotency-Key": key,
            "traceparent": message.traceparent,
            "X-Mailnode-Mark": message.mark,
        }
        if self.form == "raw":
            headers["X-Mailnode-From"] = _ascii(str(message.sender))
            headers["X-Mailnode-To"] = _ascii(", ".join(str(one.mailbox) for one in recipients))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.secret:
            headers["X-Mailnode-Signature"] = signature(self.secret, int(self.node.clock.seconds()), body)
        answer = await self.node.http.request("POST", self.url, headers=headers, body=body, timeout=self.timeout)
        return http_outcome(
            answer.status, header_line(answer.text[:200]), retry_after=answer.headers.get("retry-after", ""),
            own={int(status): _MEANINGS[word] for status, word in self.statuses.items()},
        )  # fmt: skip


def signature(secret: str, moment: int, body: bytes) -> str:
    """Sign a body, and when it was sent, so that nobody can send it again much later."""
    mac = hmac.digest(secret.encode(), f"{moment}.".encode() + body, "sha256")
    return f"t={moment},v1={mac.hex()}"


def _multipart(message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> tuple[str, bytes]:
    """Write a form: ``message`` is the JSON, each file an ``attachment`` (RFC 7578)."""
    told = json.dumps(described(message, recipients), ensure_ascii=False).encode()
    parts = [(b'form-data; name="message"', b"application/json", told)]
    for one in message.attachments:
        name = one.name.replace("\\", "_").replace('"', "%22").encode()
        kind = one.content_type.encode("ascii", "replace")
        parts.append((b'form-data; name="attachment"; filename="' + name + b'"', kind, one.octets))
    boundary = _boundary(message.queue_id, [octets for _, _, octets in parts])
    body = b"".join(
        b"--%b\r\nContent-Disposition: %b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (boundary, *part) for part in parts
    )
    return f"multipart/form-data; boundary={boundary.decode()}", body + b"--%b--\r\n" % boundary


def _boundary(queue_id: str, parts: Sequence[bytes]) -> bytes:
    number = 0
    while True:
        boundary = f"{queue_id}.{number}.part".encode()
        if not any(boundary in part for part in parts):
            return boundary
        number += 1


def _ascii(text: str) -> str:
    return header_line(text).encode("ascii", "backslashreplace").decode()


_FORMS = {"json": json_form, "raw": raw_form, "multipart": _multipart}
_MEANINGS: Mapping[str, Outcome] = {
    "delivered": Delivered(""),
    "delayed": Delayed("", "4.5.0"),
    "failed": Failed("", "5.5.0"),
}
