"""Names of local users are looked up once, away from the reactor, and remembered for a while."""

import os
import pwd

from twisted.internet.task import Clock

from mailnode.fronts.users import KEPT, MOST, UserNames, name_of
from tests.kit.results import InlineDisk, now


def test_a_name_is_looked_up_once() -> None:
    """It is known afterwards, and looked up again when it is old."""
    clock, asked = Clock(), []

    def look_up(uid: int) -> str:
        asked.append(uid)
        return f"user{uid}"

    clock.advance(1)
    users = UserNames(InlineDisk(), clock, look_up)
    assert users.known(7) is None
    assert now(users.find(7)) == users.known(7) == "user7"
    clock.advance(KEPT)
    assert users.known(7) is None
    assert asked == [7]


def test_what_is_remembered_is_bounded() -> None:
    """After very many users the memory begins anew."""
    clock = Clock()
    users = UserNames(InlineDisk(), clock, str)
    for uid in range(MOST + 1):
        now(users.find(uid))
    assert users.known(0) is None
    assert users.known(MOST) == str(MOST)


def test_the_systems_names() -> None:
    """Whoever has a name goes by it, others by their number."""
    assert name_of(os.getuid()) == pwd.getpwuid(os.getuid()).pw_name
    assert name_of(4_000_000_000) == "4000000000"
    assert name_of(1 << 40) == str(1 << 40)
