"""The process that writes, here on a thread."""

import socket
import threading
from pathlib import Path

from mailnode.couriers import maildir_frames as frames
from mailnode.couriers.maildir_delivery import Delivery, Original
from mailnode.couriers.maildir_outcome import DELIVERED
from mailnode.couriers.maildir_process import serve
from tests.kit.deliveries import TEXT, address, messages, request_for


def test_it_serves_until_the_other_side_closes(tmp_path: Path) -> None:
    """Ready, then outcomes for each batch; the end of the socket is the end of the work."""
    here, there = socket.socketpair()
    thread = threading.Thread(target=serve, args=(there,))
    thread.start()
    charter = frames.Charter(str(tmp_path), "mx.example.org", "node-aside", 0, 0, is_unix=False, has_journal=True)
    frames.send(here, frames.packed_charter(charter))
    assert frames.receive(here) == frames.READY
    request = request_for(address("ann"))
    for _ in range(2):
        batch = [Delivery(request, address("ann"), Original(request.message.content, is_unix=False))]
        frames.send(here, frames.packed_batch(batch))
        assert frames.take_outcomes(frames.receive(here), batch) == []
        assert batch[0].outcome is DELIVERED
    here.close()
    thread.join(30)
    assert not thread.is_alive()
    there.close()
    found = messages(tmp_path / "example.org" / "ann")
    assert len(found) == 2
    assert found[0].endswith(TEXT)
