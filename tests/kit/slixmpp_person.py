"""A person at an XMPP server, by slixmpp: ``python slixmpp_person.py JID PASSWORD PORT``; JSON lines in and out."""

import asyncio
import json
import sys
from typing import Any

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError


def tell(kind: str, **what: str) -> None:
    """Write a line."""
    sys.stdout.write(json.dumps({"kind": kind, **what}) + "\n")
    sys.stdout.flush()


class Person(ClientXMPP):
    """Tells of everything that comes, and sends what it is told to; its receipts are slixmpp's own."""

    def __init__(self, jid: str, password: str) -> None:
        super().__init__(jid, password)
        self.enable_starttls = self.enable_direct_tls = False
        self.enable_plaintext = True
        self["feature_mechanisms"].unencrypted_plain = True
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0184")
        self.add_event_handler("session_start", self.began)
        self.add_event_handler("message", self.came)
        self.add_event_handler(
            "message_error", lambda one: tell("error", id=one["id"], condition=one["error"]["condition"])
        )
        self.add_event_handler("receipt_received", lambda one: tell("receipt", id=one["receipt"]))

    async def began(self, _: object) -> None:
        """Be there, and do what is said."""
        self.send_presence()
        await self.get_roster()
        tell("ready")
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            await self.do(json.loads(line))

    def came(self, one: Any) -> None:
        """Tell of a message."""
        if one["type"] in ("chat", "normal"):
            tell("message", sender=str(one["from"]), body=one["body"], subject=one["subject"], thread=one["thread"],
                 id=one["id"])  # fmt: skip

    async def do(self, what: dict[str, str]) -> None:
        """Send a message or ask what somebody can do."""
        if "info" in what:
            try:
                found = await self["xep_0030"].get_info(jid=what["info"], cached=False)
                tell("info", features=" ".join(sorted(found["disco_info"]["features"])))
            except IqError as error:
                tell("info", features=error.condition)
            return
        message = self.make_message(mto=what["to"], mbody=what["body"], mtype="chat", msubject=what.get("subject"))
        if "thread" in what:
            message["thread"] = what["thread"]
        message["id"] = self.new_id()
        message["request_receipt"] = True
        message.send()


async def main() -> None:
    """Stay until the input ends."""
    person = Person(sys.argv[1], sys.argv[2])
    person.connect("127.0.0.1", int(sys.argv[3]))
    await person.disconnected


asyncio.run(main())
