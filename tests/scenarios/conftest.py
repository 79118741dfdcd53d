"""What the scenarios share: nodes that never outlive their test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.node import Node, settings

MakeNode = Callable[..., Node]


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Give a function that starts a node from a configuration and a name for its folder."""
    nodes: list[Node] = []

    def make(text: str = "", name: str = "node") -> Node:
        node = Node(tmp_path / name, text or settings())
        nodes.append(node)
        return node.start()

    yield make
    for node in nodes:
        node.kill()


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give a node for all tests of one file; every address at example.org has its Maildir, others are refused."""
    node = Node(tmp_path_factory.mktemp("shared") / "node", settings())
    try:
        yield node.start()
    finally:
        node.kill()
