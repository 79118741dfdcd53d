"""Every file of tests/dialogues, held against the machine: in one piece, and octet by octet."""

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mailnode.smtp.deliver_by import DELIVER_BY
from mailnode.smtp.extensions import auth, standard_extensions
from mailnode.smtp.future_release import future_release
from mailnode.smtp.mt_priority import MT_PRIORITY
from mailnode.smtp.server import ServerSettings
from tests.kit.dialogue import differences, read_dialogue
from tests.kit.machine import SETTINGS, Host

AUTH = {"": ("PLAIN", "LOGIN"), "without": ()}
"""What the option ``auth`` offers: mechanisms, or none as long as there is no TLS."""

FOLDER = Path(__file__).parent.parent / "dialogues"


def settings_of(options: Any) -> ServerSettings:
    """Make settings of a dialogue's options."""
    changes: dict[str, Any] = {}
    if "bare_newlines" in options:
        changes["bare_newlines"] = options["bare_newlines"]
    if "strict_syntax" in options:
        changes["strict_syntax"] = True
    if "submission" in options:
        changes["bare_addresses"] = True
    if "max_text_line" in options:
        changes["max_text_line"] = int(options["max_text_line"])
    return evolve(SETTINGS, **changes)


@pytest.mark.parametrize("size", [1, 2, 1_000_000])
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_dialogue_goes_as_written(path: Path, size: int) -> None:
    """However its octets are cut, each dialogue goes as it stands in its file."""
    dialogue = read_dialogue(path)
    settings = settings_of(dialogue.options)
    extensions = (
        (*standard_extensions(settings), auth(AUTH[dialogue.options["auth"]])) if "auth" in dialogue.options else ()
    )
    if "submission" in dialogue.options:
        extensions = (*standard_extensions(settings), future_release(3600, 0), DELIVER_BY, MT_PRIORITY)
    host = Host(settings, extensions, lmtp="lmtp" in dialogue.options)
    greeting = host.said
    for exchange in dialogue.exchanges:
        pieces = [exchange.sent[start : start + size] for start in range(0, len(exchange.sent), size)]
        said = host.feed_all(pieces) if pieces else greeting
        assert not list(differences(exchange, said)), exchange.sent[:200]
        if exchange.content is not None:
            assert host.messages[-1] == exchange.content
