"""A homeserver for unit tests, in place of the node's HTTP client, that also brings transactions to the gateway's door."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import Factory, define
from twisted.internet.testing import StringTransport

from mailnode.testing.api import HttpResponse, MemoryNode

AS_TOKEN, HS_TOKEN = "the-as-token", "the-hs-token"
SERVER = "matrix.example"


@define(eq=False)
class MemoryHomeserver:
    """Knows users, rooms and events; ``will(429)`` says what the next requests get."""

    users: set[str] = Factory(lambda: {f"@bob:{SERVER}"})
    aliases: dict[str, str] = Factory(lambda: {f"#ops:{SERVER}": f"!ops:{SERVER}"})
    members: dict[str, set[str]] = Factory(dict)
    events: list[dict[str, Any]] = Factory(list)
    """What was said: room, sender, content, id."""
    asked: list[tuple[str, str]] = Factory(list)
    rooms_made: int = 0
    loses_answers: bool = False
    """It does what it is asked, and nobody hears of it."""
    _by_txn: dict[tuple[str, str, str], str] = Factory(dict)
    _script: deque[Any] = Factory(deque)

    def will(self, *answers: Any) -> None:
        """Say what the next requests get: an HttpResponse, an exception, None for what they would."""
        self._script.extend(answers)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float = 60.0,  # noqa: ASYNC109 - the seam's
    ) -> HttpResponse:
        """Answer."""
        parts = urlsplit(url)
        steps = [unquote(step) for step in parts.path.removeprefix("/_matrix/client/v3/").split("/")]
        self.asked.append((method, "/".join(steps)))
        answer = self._script.popleft() if self._script else None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, HttpResponse):
            return answer
        if (headers or {})["Authorization"] != f"Bearer {AS_TOKEN}":
            return error(401, "M_UNKNOWN_TOKEN")
        user = parse_qs(parts.query).get("user_id", [""])[0]
        act = getattr(self, f"_{steps[0].lower()}")
        result: HttpResponse = act(steps[1:], user, json.loads(body or b"{}"))
        if self.loses_answers:
            raise TimeoutError("the answer was lost")
        return result

    def _register(self, _: list[str], __: str, said: dict[str, Any]) -> HttpResponse:
        user = f"@{said['username']}:{SERVER}"
        if user in self.users:
            return error(400, "M_USER_IN_USE")
        self.users.add(user)
        return good(user_id=user)

    def _profile(self, steps: list[str], _: str, __: dict[str, Any]) -> HttpResponse:
        return good() if steps[0] in self.users else error(404, "M_UNKNOWN")

    def _createroom(self, _: list[str], user: str, said: dict[str, Any]) -> HttpResponse:
        self.rooms_made += 1
        room = f"!room{self.rooms_made}:{SERVER}"
        self.members[room] = {user, *said["invite"]}
        return good(room_id=room)

    def _join(self, steps: list[str], user: str, _: dict[str, Any]) -> HttpResponse:
        room = self.aliases.get(steps[0], steps[0])
        if room.startswith("#"):
            return error(404, "M_NOT_FOUND")
        self.members.setdefault(room, set()).add(user)
        return good(room_id=room)

    def _rooms(self, steps: list[str], user: str, said: dict[str, Any]) -> HttpResponse:
        room, _, __, txn_id = steps
        if user not in self.members.get(room, set()):
            return error(403, "M_FORBIDDEN")
        key = (user, room, txn_id)
        if key not in self._by_txn:
            self._by_txn[key] = f"$e{len(self.events)}"
            self.events.append({"room": room, "sender": user, "content": said, "id": self._by_txn[key]})
        return good(event_id=self._by_txn[key])


def good(**said: Any) -> HttpResponse:
    """Write a success."""
    return HttpResponse(200, json.dumps(said).encode())


def error(status: int, errcode: str, **more: Any) -> HttpResponse:
    """Write an error."""
    return HttpResponse(status, json.dumps({"errcode": errcode, "error": "said so", **more}).encode())


def ask(
    node: MemoryNode, method: str, path: str, body: bytes = b"", token: str = HS_TOKEN
) -> tuple[int, dict[str, Any]]:
    """Send a request to the gateway's door, as the homeserver does."""
    clock: Any = node.clock
    factory = clock.tcpServers[-1][1]
    protocol, transport = factory.buildProtocol(None), StringTransport()
    protocol.makeConnection(transport)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    protocol.dataReceived(head.encode() + body)
    first, _, rest = transport.value().partition(b"\r\n\r\n")
    if b"chunked" in first:
        rest = rest.partition(b"\r\n")[2].rpartition(b"\r\n0\r\n")[0]
    status = int(first.split()[1])
    return status, json.loads(rest or b"{}")


def bring(node: MemoryNode, txn_id: str, *events: Any) -> int:
    """Bring a transaction."""
    return ask(node, "PUT", f"/_matrix/app/v1/transactions/{txn_id}", json.dumps({"events": events}).encode())[0]
