"""EXTERNAL: the account that was proved before, by a TLS certificate or by the kernel (RFC 4422 appendix A).

The names of a verified client certificate that are addresses of accounts are whom its owner may be. At a unix socket it
is the local user, at the domain of the settings. Who says no authorization identity is the first of them.
"""

from mailnode.authentication.plain import text_of
from mailnode.authentication.proof import Ground, guarded, refusal, settled
from mailnode.authentication.watch import Attempt
from mailnode.interfaces import Authenticated, Challenge, Standing
from mailnode.mail.address import Mailbox
from mailnode.mail.message import Peer


class External:
    """One response: whom to act as, or nothing."""

    def __init__(self, ground: Ground, peer: Peer) -> None:
        self._ground = ground
        self._peer = peer

    async def step(self, response: bytes | None) -> Challenge | Authenticated:
        """Ask for the response, or look whom it may mean."""
        if response is None:
            return Challenge()
        wanted = text_of(response)
        names = (*self._peer.certificate_names, *([self._peer.user] if self._peer.user else []))
        known = [account for account in map(self._ground.account, names) if account is not None]
        account = self._ground.account(wanted) if wanted else None
        attempt = await self._ground.watch.attempt(self._peer, wanted or ", ".join(names)[:254], "EXTERNAL")
        return await guarded(attempt, self._checked(attempt, [one for one in known if not wanted or one == account]))

    async def _checked(self, attempt: Attempt, candidates: list[Mailbox]) -> Challenge | Authenticated:
        for account in candidates:
            standing = await self._ground.credentials.standing(account)
            if standing is not Standing.UNKNOWN:
                return await settled(attempt, account, standing, why="")
        raise await refusal(attempt, "nothing proves that account")
