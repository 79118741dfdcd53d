"""Dead hosts: which lanes rest, and what the spool has to be told of it.

When a host is first found dead, what its lane has in memory is suspended and the spool is told at once: one word for any
number of recipients. When it is found dead again after a rest, the spool goes on giving for a moment, up to ``sweep``
recipients, and all they get is their next time; only then it is told. If there were more than that, the lane rests only
briefly, so that a long line comes by in hours and each of it has its warning and its end.
"""

from attrs import Factory, define

from mailnode.interfaces import Spool
from mailnode.queue.lanes import LaneState, Work
from mailnode.queue.schedule import Randomness
from mailnode.queue.settings import QueueSettings


@define
class Rests:
    """The lanes whose rest the spool has not heard of yet."""

    spool: Spool
    random: Randomness
    settings: QueueSettings
    _sweeps: dict[LaneState, int] = Factory(dict)
    """Lanes that begin to rest, and how many recipients may still be swept."""
    _told: set[LaneState] = Factory(set)
    """Lanes that rest, as far as the spool knows."""

    def begin(self, state: LaneState) -> None:
        """Let a lane rest whose host was just found dead."""
        self._sweeps[state] = 0 if state.rests == 1 else self.settings.sweep

    def sweeps(self, state: LaneState, work: Work) -> bool:
        """Tell whether work that comes from the spool is to be suspended; if not, it is to be tried."""
        if state not in self._sweeps:
            return False
        self._sweeps[state] -= len(work.recipients)
        return True

    async def end(self, state: LaneState, now: float) -> bool:
        """End a rest before its time, since the host was reached; True when the spool has more now. Raises SpoolTrouble."""
        self._sweeps.pop(state, None)
        state.wake()
        if state not in self._told:
            return False
        await self.spool.postpone(state.lane, now)
        self._told.discard(state)
        return True

    async def tell(self, now: float, *, is_dry: bool) -> None:
        """Tell the spool of lanes whose sweep is over: nothing more comes, or it was enough; raises SpoolTrouble."""
        if is_dry:
            self._told = {state for state in self._told if state.is_resting(now)}
        for state, left in list(self._sweeps.items()):
            if left <= 0 or is_dry:
                state.rest(now, self.random, briefly=left <= 0)
                await self.spool.postpone(state.lane, state.resting_until)
                self._sweeps.pop(state, None)
                self._told.add(state)
