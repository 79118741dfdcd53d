"""``python -m tests.bench``: mailnode beside installed servers, in one run on one machine.

Every scenario runs interleaved (A B A B ...), so that what else the machine does falls on all alike. What counts is
the ratio: the absolute numbers say more about the disk than about the servers. Nothing here asserts a speed.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.bench.load import Sink, mailbox, send, wait_for_maildirs
from tests.bench.measure import Round, Spread, measure
from tests.bench.scenarios import MAILBOXES, SCENARIOS, Scenario
from tests.bench.servers import SERVERS, Server
from tests.kit.programs import find

_NAMES = [scenario.name for scenario in SCENARIOS]


@click.command()
@click.option(
    "--scenario", "chosen", multiple=True, type=click.Choice(_NAMES), help="Only this one; may be given again."
)
@click.option(
    "--server", "servers", multiple=True, type=click.Choice(list(SERVERS)), help="Only this one; may be given again."
)
@click.option("--rounds", default=5, show_default=True, help="Rounds of each server in each scenario.")
@click.option("--messages", default=0, help="Messages in a round, instead of the scenario's own number.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where queues and mailboxes lie: a real disk, not a tmpfs."
)
@click.option("--keep", is_flag=True, help="Leave queues, mailboxes and logs there.")
def main(
    chosen: Sequence[str], servers: Sequence[str], rounds: int, messages: int, folder: Path | None, *, keep: bool
) -> None:
    """Compare mailnode with the mail servers installed on this machine."""
    if not (find("smtp-source") and find("smtp-sink")):
        raise click.ClickException("smtp-source and smtp-sink make the load and take it: install Postfix")
    root = Path(tempfile.mkdtemp(prefix="mailnode-bench.", dir=folder or "/var/tmp"))
    root.chmod(0o755)
    try:
        for scenario in SCENARIOS:
            if scenario.name in (chosen or _NAMES):
                _compare(
                    scenario, servers or list(SERVERS), rounds, messages or scenario.messages, root / scenario.name
                )
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)


def _compare(scenario: Scenario, names: Sequence[str], rounds: int, messages: int, folder: Path) -> None:
    """Run one scenario on all servers in turn and print its table."""
    folder.mkdir()
    names_of_rounds = ["warm", *(f"r{number}" for number in range(rounds))]
    boxes = [mailbox(one, number) for one in names_of_rounds for number in range(MAILBOXES)]
    print(f"\n{scenario.name}: {scenario.says}; {rounds} rounds of {messages} messages", flush=True)
    with contextlib.ExitStack() as running:
        sink = Sink(folder)
        running.callback(sink.stop)
        servers: list[Server] = []
        for name in names:
            server = SERVERS[name](folder / name, sink.port, boxes)
            running.callback(server.stop)
            server.start()
            servers.append(server)
        results: dict[str, list[Round]] = {server.name: [] for server in servers}
        for one in names_of_rounds:
            for server in servers:
                results[server.name].append(_round(scenario, server, sink, one, messages))
    _print({name: measured[1:] for name, measured in results.items()})  # without the round that warmed up


def _round(scenario: Scenario, server: Server, sink: Sink, name: str, messages: int) -> Round:
    def work() -> None:
        send(scenario, server.port, name, messages)
        if scenario.relays:
            sink.wait_for(before + messages)
        else:
            wait_for_maildirs(server.maildirs, name, messages)

    before = sink.messages
    return measure(server.pid, messages, work)


def _print(results: dict[str, list[Round]]) -> None:
    reference = Spread.of([one.rate for one in next(iter(results.values()))]).median
    print(f"{'server':<12}{'msg/s (min .. max)':>28}{'ratio':>8}{'CPU ms/msg (min .. max)':>30}{'peak MiB':>10}")
    for name, rounds in results.items():
        rate, cpu = Spread.of([one.rate for one in rounds]), Spread.of([one.cpu for one in rounds])
        memory = max(one.memory for one in rounds) / (1 << 20)
        print(
            f"{name:<12}{f'{rate.median:.0f} ({rate.least:.0f} .. {rate.most:.0f})':>28}{rate.median / reference:>8.2f}"
            f"{f'{cpu.median:.2f} ({cpu.least:.2f} .. {cpu.most:.2f})':>30}{memory:>10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
