"""The classic dialogues (RFC 5321 appendix D, RFC 821 appendix F) with a host in memory, however their octets are cut."""

from pathlib import Path

import pytest

from tests.kit.classic import Host
from tests.kit.dialogue import differences, read_dialogue

FOLDER = Path(__file__).parent.parent / "dialogues" / "classic"


@pytest.mark.rfc("5321", "D")
@pytest.mark.rfc("821", "F")
@pytest.mark.parametrize("size", [1, 2, 1_000_000])
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_classic_dialogue_goes_as_written(tmp_path: Path, path: Path, size: int) -> None:
    """Each goes as it stands in its file, and what arrives is what was sent."""
    host = Host(tmp_path)
    call = host.call()
    for exchange in read_dialogue(path).exchanges:
        pieces = [exchange.sent[start : start + size] for start in range(0, len(exchange.sent), size)]
        said = b"".join([call.say(piece) for piece in pieces]) if pieces else call.greeting
        assert not list(differences(exchange, said)), exchange.sent[:200]
        if exchange.content is not None:
            assert exchange.content in host.mailboxes.messages[-1]
