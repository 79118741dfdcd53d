"""What the queue has begun is owned to its end."""

from twisted.internet.defer import Deferred

from mailnode.queue.tasks import Tasks


def test_all_ended_waits_for_the_last() -> None:
    """It comes when the last coroutine has ended, and at once when none runs; failures are logged and end a task too."""
    tasks, gates, heard = Tasks(), [Deferred[None](), Deferred[None]()], list[str]()

    async def wait(gate: Deferred[None]) -> None:
        await gate

    for gate in gates:
        tasks.run(wait(gate))
    Deferred.fromCoroutine(tasks.all_ended()).addCallback(lambda _: heard.append("all"))
    gates[0].callback(None)
    assert not heard
    gates[1].callback(None)
    assert heard == ["all"]
    Deferred.fromCoroutine(tasks.all_ended()).addCallback(lambda _: heard.append("none"))
    assert heard == ["all", "none"]


def test_a_failure_is_logged(lost_failures: list[object]) -> None:
    """It ends its task and nothing else."""
    tasks = Tasks()

    async def fail() -> None:
        raise ZeroDivisionError

    tasks.run(fail())
    assert len(lost_failures) == 1
    lost_failures.clear()
    assert Deferred.fromCoroutine(tasks.all_ended()).called
