"""Tests of mail handed to uux: its arguments, its input, and what is not handed to it."""

from pathlib import Path
from typing import Any

import pytest

from mailnode.shipped.programs.processes import Exit
from mailnode.shipped.uucp.gateway import Uucp
from mailnode.testing.api import FakePeer, MemoryNode

ANN = "ann@home.example"


def node_with(*exits: Exit, config: str = "", **settings: Any) -> tuple[MemoryNode, list[tuple[list[str], bytes]]]:
    """Make a node with mars as its neighbour; gives what uux was called with."""
    peer, runs = FakePeer(otherwise=Exit()).will(*exits), []

    async def run(reactor: Any, program: Any, *, feed: Any, **how: Any) -> Any:
        runs.append((list(program.arguments), b"".join(feed)))
        return await peer.call()

    gateway = Uucp(neighbour="mars", hostname="earth", **settings)
    gateway._run = run
    return MemoryNode(gateway, domain="mars.example", config=config), runs


@pytest.mark.rfc("976", "2.4")
def test_rmail_gets_addresses_and_a_from_line(tmp_path: Path) -> None:
    """One job for all; lines end as Unix has them."""
    node, runs = node_with()
    node.send(ANN, "bob@mars.example", "eve@mars.example", text="Hello.")
    ((words, octets),) = runs
    assert words == ["/usr/bin/uux", "-", "-r", "mars!rmail", "(bob@mars.example)", "(eve@mars.example)"]
    first, _, rest = octets.partition(b"\n")
    assert first.startswith(b"From home.example!ann ")
    assert first.endswith(b" remote from earth")
    assert b"\r" not in rest
    assert not node.queue()


def test_bang_paths_and_maps() -> None:
    """As the configuration says."""
    node, runs = node_with(paths="bang")
    node.send("", "bob%venus@mars.example")
    assert runs[0][0][-1] == "(mars.example!venus!bob)"
    assert runs[0][1].startswith(b"From MAILER-DAEMON ")
    config = '[gateway.uucp]\nkind = "uucp"\nneighbour = "x"\n[gateway.uucp.addresses]\nmap = ["{user}@mars.example <-> {user}"]\n'
    node, runs = node_with(config=config)
    node.send(ANN, "bob@mars.example")
    assert runs[0][0][-1] == "(bob)"


def test_a_batch_for_rbsmtp() -> None:
    """With the addresses in the envelope, whatever they are."""
    node, runs = node_with(form="rbsmtp")
    node.send(ANN, '"b o$(b)"@mars.example')
    ((words, octets),) = runs
    assert words[-1] == "mars!rbsmtp"
    assert octets.startswith(b"HELO mx.home.example\nMAIL FROM:<ann@home.example>\n")
    assert octets.endswith(b"\n.\nQUIT\n")


@pytest.mark.parametrize("local_part", ["`id`", "-oX", "$HOME", "a|b", '"a b"', '"a)(b"', "a'b", "~root"])
def test_hostile_addresses_are_no_arguments(local_part: str) -> None:
    """They bounce, and others go on."""
    node, runs = node_with()
    node.send(ANN, f"{local_part}@mars.example", "bob@mars.example")
    assert [words[4:] for words, _ in runs] == [["(bob@mars.example)"]]
    assert "cannot be an argument" in " ".join(node.mailbox(ANN)[0].as_string().split())


def test_uux_fails_for_a_while() -> None:
    """Tried again with its words as the reason; many recipients are several jobs, and none is done twice."""
    node, runs = node_with(Exit(), Exit(71, output=b"no space"))
    people = [f"p{number}@mars.example" for number in range(30)]
    node.send(ANN, *people)
    assert {one.to for one in node.queue()} == set(people[20:])
    assert "no space" in node.queue()[0].reason
    node.advance("1h")
    assert not node.queue()
    told = [word for words, _ in runs for word in words[4:]]
    assert sorted(set(told)) == sorted(f"({one})" for one in people)
    assert all(told.count(f"({one})") == 1 for one in people[:20])


@pytest.mark.parametrize("settings", [{"neighbour": "a b"}, {"neighbour": "-x"}, {"hostname": "a!b"}, {"uux": ()}])
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start."""
    with pytest.raises(ValueError, match="expected"):
        Uucp(**{"neighbour": "mars", **settings})
