"""``python -m tests.bench``: mailnode beside other mail servers, in one run on one machine.

Every scenario runs interleaved (A B A B ...), so that what else the machine does falls on all alike. What counts is
the ratio: the absolute numbers say more about the disk than about the servers. Nothing here asserts a speed, and
nothing leaves the loopback network.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.bench import software
from tests.bench.lineup import NAMES, choose
from tests.bench.runs import KINDS, Bench
from tests.bench.scenarios import SCENARIOS
from tests.kit.programs import find

_SCENARIOS = [*(scenario.name for scenario in SCENARIOS), *KINDS]


@click.command()
@click.option("--scenario", "scenarios", multiple=True, type=click.Choice(_SCENARIOS), help="Only this; repeatable.")
@click.option("--server", "servers", multiple=True, type=click.Choice(NAMES), help="Only this one; repeatable.")
@click.option("--workers", default=1, show_default=True, help="Also measure mailnode with so many processes.")
@click.option("--rounds", default=0, help="Rounds of each server in each scenario (5, quick 1).")
@click.option("--messages", default=0, help="Messages in a round, instead of each scenario's own number.")
@click.option("--quick", is_flag=True, help="One short round of everything, in a few minutes.")
@click.option("--profile", "flames", type=click.Path(path_type=Path), help="Write mailnode's flame graphs there.")
@click.option("--folder", type=click.Path(path_type=Path), default="/var/tmp", show_default=True,
              help="Where queues, mailboxes and unpacked servers lie: a real disk, not a tmpfs.")  # fmt: skip
@click.option("--keep", is_flag=True, help="Leave queues, mailboxes and logs there.")
def main(
    scenarios: Sequence[str], servers: Sequence[str], workers: int, rounds: int, messages: int, *, quick: bool, flames: Path | None,
    folder: Path, keep: bool,
) -> None:  # fmt: skip
    """Compare mailnode with other mail servers; those that are not installed are fetched and run from a folder."""
    if not (find("smtp-source") and find("smtp-sink")):
        raise click.ClickException("smtp-source and smtp-sink make the load and take it: install Postfix")
    unpacked = folder / "mailnode-bench-software"
    software.fetch(unpacked)
    root = Path(tempfile.mkdtemp(prefix="mailnode-bench.", dir=folder))
    root.chmod(0o755)
    _keep_apart(root)
    try:
        lineup = list(choose(servers, workers, unpacked))
        bench = Bench(
            lineup, root, unpacked, rounds or (1 if quick else 5), is_quick=quick, messages=messages, flames=flames
        )
        bench.run(scenarios or _SCENARIOS)
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)


def _keep_apart(root: Path) -> None:
    """Give each folder below ``root`` a part of the disk of its own, if the file system can do that.

    Servers that delete what they have queued would otherwise slow down those that make files beside them (``runs``).
    """
    chattr = find("chattr")
    if chattr is not None:
        subprocess.run([chattr, "+T", str(root)], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
