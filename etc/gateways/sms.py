"""Mail to a number becomes a text message, by the HTTP interface of some provider. One way, one file.

    [gateway.sms]
    kind = "gateways/sms.py:Sms"
    url = "https://provider.example/send"
    token = "secret"

    [[domain]]
    name = "sms.example.org"
    courier = "sms"

Mail to ``4917012345@sms.example.org`` then goes to that number.
"""

import json
from collections.abc import Sequence
from typing import ClassVar

from attrs import define, field

from mailnode.gateways.api import Answer, Gateway, Outcome, OutgoingMessage, OutgoingRecipient, http_outcome, shortened


@define
class Sms(Gateway):
    """Sends text messages."""

    url: str
    """Where the provider takes them."""
    token: str = field(default="", repr=False)
    """The provider's token."""
    limit: int = 480
    """Characters of a text message; more are cut, with a mark that says how many."""

    default_map: ClassVar[Sequence[str]] = ("{number}@sms.example.org <-> {number}",)

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Send one text message to each number."""
        text = shortened(f"{message.subject}: {message.text()}", self.limit)
        return {one: await self._send(one, text) for one in recipients}

    async def _send(self, one: OutgoingRecipient, text: str) -> Outcome:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": one.key}
        body = json.dumps({"to": one.address, "text": text}).encode()
        answer = await self.node.http.request("POST", self.url, headers=headers, body=body)
        return http_outcome(answer.status, retry_after=answer.headers.get("retry-after", ""))
