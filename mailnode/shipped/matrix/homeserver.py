"""The requests that are made of a homeserver (Matrix, Client-Server API), as one of our users each time."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from mailnode.gateways.api import Delayed, HttpClient, Trouble
from mailnode.shipped.matrix.errors import Declined, declined


@frozen
class Homeserver:
    """One homeserver."""

    http: HttpClient
    url: str
    token: str = field(repr=False)
    timeout: float = 60.0

    async def ask(
        self, method: str, steps: tuple[str, ...], user: str = "", body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make a request; its answer, or Declined."""
        path = "/".join(quote(step, safe="") for step in steps)
        query = f"?{urlencode({'user_id': user})}" if user else ""
        answer = await self.http.request(
            method, f"{self.url.rstrip('/')}/_matrix/client/v3/{path}{query}",
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            body=b"" if body is None else json.dumps(body, ensure_ascii=False).encode(), timeout=self.timeout,
        )  # fmt: skip
        try:
            said = json.loads(answer.body or b"{}")
        except (ValueError, RecursionError):
            said = {}
        if answer.status // 100 != 2:
            raise declined(answer, said if isinstance(said, dict) else {})
        return said if isinstance(said, dict) else {}

    async def register(self, localpart: str) -> bool:
        """Make a user; False: he is there already."""
        body = {"type": "m.login.application_service", "username": localpart, "inhibit_login": True}
        try:
            await self.ask("POST", ("register",), body=body)
        except Declined as no:
            if no.errcode == "M_USER_IN_USE":
                return False
            raise
        return True

    async def name(self, user: str, name: str) -> None:
        """Give a user of ours a display name."""
        await self.ask("PUT", ("profile", user, "displayname"), user, {"displayname": name})

    async def is_there(self, user: str, asked_by: str) -> bool:
        """Tell whether there is such a user."""
        try:
            await self.ask("GET", ("profile", user), asked_by)
        except Declined as no:
            if no.status == 404:
                return False
            raise
        return True

    async def make_direct_room(self, user: str, guest: str) -> str:
        """Make a room for two; its id."""
        body = {"is_direct": True, "invite": [guest], "preset": "trusted_private_chat"}
        return _id(await self.ask("POST", ("createRoom",), user, body), "room_id")

    async def join(self, user: str, room: str) -> str:
        """Let a user of ours join a room, by id or alias; its id."""
        return _id(await self.ask("POST", ("join", room), user, {}), "room_id")

    async def send(self, user: str, room: str, txn_id: str, content: Mapping[str, Any]) -> str:
        """Say something; the event's id, the same for the same ``txn_id``."""
        return _id(await self.ask("PUT", ("rooms", room, "send", "m.room.message", txn_id), user, content), "event_id")


def _id(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise Trouble(Delayed(f"the homeserver gave no {name}", "4.5.0"))
    return found
