"""The dialogues that the sans-IO machine is held to, spoken over TCP with a real node."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import evolve

from tests.kit.dialogue import Exchange, differences, read_dialogue
from tests.kit.node import Node, settings
from tests.kit.ports import free_port
from tests.kit.talk import Talk

pytestmark = pytest.mark.scenario

FOLDER = Path(__file__).parent.parent / "dialogues"
FILES = sorted(
    path
    for path in FOLDER.glob("*.txt")
    if path.stem not in ("starttls", "verifying") and not path.stem.startswith("auth")
)
"""Not those that want what a node keeps from strangers (VRFY) or what this one does not offer (STARTTLS, AUTH)."""

KNOWN = ("a", "b", "c", "e", "two words", "jones", "brown", "victim", "postmaster")
"""Who lives at the domains of the dialogues; their mail is kept at kept.example."""


def _settings(options: Mapping[str, str], closed_port: int) -> str:
    """Write a node's configuration for a dialogue's options; mail for elsewhere stays in its queue."""
    text = settings(hostname="mx.example", domains={"kept.example": "any"})
    if "lmtp" in options:
        text = text.replace('service = "smtp"', 'service = "lmtp"')
    if "submission" in options:
        text = text.replace('service = "smtp"', 'service = "submission"') + '\n[submission]\nmax_hold = "1h"\n'
    for domain in ("d.example", "foo.example", "mx.example"):
        aliases = "".join(f'"{name}" = ["{name.replace(" ", ".")}@kept.example"]\n' for name in KNOWN)
        text += f'\n[[domain]]\nname = "{domain}"\n[domain.aliases]\n{aliases}'
    text += f'\n[[route]]\nmatch = "*"\nnext_hop = "[127.0.0.1]:{closed_port}"\n'
    text += '\n[reception]\nmax_size = "100 kB"\n[session]\nmax_errors = 1000\n'
    if "bare_newlines" in options:
        text += f'bare_newlines = "{options["bare_newlines"]}"\n'
    if "strict_syntax" in options:
        text += "strict_syntax = true\n"
    if "max_text_line" in options:
        text += f'max_text_line = "{options["max_text_line"]} B"\n'
    return text


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Node]]:
    """Give the nodes that run so far, by their configuration; dialogues without options share one."""
    made: dict[str, Node] = {}
    yield made
    for node in made.values():
        node.kill()


@pytest.fixture(scope="module")
def closed_port() -> int:
    """Give a port that nobody listens on."""
    return free_port()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dialogue_goes_as_written(
    tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Node], closed_port: int, path: Path
) -> None:
    """What the machine says by itself, a node says over TCP, and what it took lies in the mailbox."""
    dialogue = read_dialogue(path)
    text = _settings(dialogue.options, closed_port)
    if text not in nodes:
        nodes[text] = Node(tmp_path_factory.mktemp("dialogue") / "node", text)
        nodes[text].start()
    node = nodes[text]
    with Talk(node.port()) as talk:
        for exchange in dialogue.exchanges:
            talk.write(exchange.sent)
            is_hello = exchange.sent[:4].upper() in (b"EHLO", b"LHLO") and exchange.replies[0].startswith("250")
            if is_hello and exchange.sent.count(b"\r\n") == 1:
                # The listener may offer fewer extensions than the machine alone.
                said = talk.reply()
                assert said.startswith(b"250"), said
                continue
            said = talk.lines(len(exchange.replies))
            wrong = list(differences(_as_offered(exchange), said))
            assert not wrong, (exchange.sent[:200], said)
            if exchange.content is not None:
                assert exchange.content.replace(b"\r\n", b"\n") in _newest(node)


def _as_offered(exchange: Exchange) -> Exchange:
    """Expect of a listener without STARTTLS that it says so."""
    return evolve(exchange, replies=("502 5.5.1",)) if exchange.sent == b"STARTTLS\r\n" else exchange


def _newest(node: Node) -> bytes:
    """Give the message that arrived last in any mailbox."""
    files = list((node.data / "mail").glob("*/*/new/*"))
    return max(files, key=lambda file: file.name).read_bytes()
