"""Mail becomes text files in a folder, and text files in another folder become mail. Both ways, one file.

    [gateway.notes]
    kind = "gateways/notes.py:Notes"
    folder = "/srv/notes"
    to = "ann@example.org"

    [[domain]]
    name = "notes.example.org"
    courier = "notes"

Mail to ``shopping@notes.example.org`` is written to ``/srv/notes/out/shopping-KEY.txt``; a file ``/srv/notes/in/shopping.txt`` is sent to
``to`` from that address, and removed once the node has it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from attrs import define
from twisted.application.internet import TimerService
from twisted.application.service import IService
from twisted.internet.defer import Deferred

from mailnode.gateways.api import Answer, Draft, Failed, Gateway, OutgoingMessage, OutgoingRecipient, Refused, Seconds


@define
class Notes(Gateway):
    """Mail to files, files to mail."""

    folder: str
    """The folder that holds ``in`` and ``out``."""
    to: str
    """Who gets the files of ``in`` as mail."""
    every: Seconds = Seconds(10)
    """How often to look for files."""

    default_map: ClassVar[Sequence[str]] = ("{name}@notes.example.org <-> {name}",)

    async def start(self) -> None:
        """Make the folders."""
        for name in ("in", "out"):
            await self.node.disk.run(partial(Path(self.folder, name).mkdir, parents=True, exist_ok=True))

    async def deliver(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        """Write a file for each recipient; the key in its name makes a second try overwrite the first."""
        if any("/" in one.address for one in recipients):
            return Failed("a note's name holds no slash", "5.1.3")
        text = f"{message.subject}\n\n{message.text()}\n"
        for one in recipients:
            path = Path(self.folder, "out", f"{one.address}-{one.key[:8]}.txt")
            await self.node.disk.run(partial(path.write_text, text))
        return None

    def source(self) -> IService:
        """Look for files now and then."""
        service = TimerService(self.every, self._look)
        service.clock = self.node.clock
        return service

    def _look(self) -> Deferred[None]:
        looking = Deferred.fromCoroutine(self._bring())
        return looking.addErrback(lambda failure: self.node.log.failure("notes were not brought", failure))

    async def _bring(self) -> None:
        for path in await self.node.disk.run(lambda: sorted(Path(self.folder, "in").glob("*.txt"))):
            text = await self.node.disk.run(path.read_text)
            stamp = (await self.node.disk.run(path.stat)).st_mtime_ns
            sender = str(self.node.reply_address(path.stem))
            try:
                await self.node.submit(
                    Draft(sender, [self.to], text, subject=path.stem), protocol="FILE", key=f"{path.name} {stamp}"
                )
            except Refused as refused:
                self.node.log.warn("{name} was not taken: {reply}", name=path.name, reply=str(refused.reply))  # noqa: G010
                continue
            await self.node.disk.run(path.unlink)
