"""Handing a draft over: to the node that runs, or into the maildrop for the node that will run."""

import time

from attrs import evolve

from mailnode.originator.draft import Draft
from mailnode.originator.maildrop import keep
from mailnode.originator.place import Place
from mailnode.originator.receipt import (
    USAGE,
    BadDraft,
    NobodyTakesIt,
    Receipt,
    RefusedRecipient,
    all_refused,
)
from mailnode.originator.submitting import HELLO, Away, Taken, seal, submit


def hand_over(place: Place, draft: Draft) -> Receipt:
    """Hand a draft over; it is durable when this returns. Raises NotSent when nobody's copy was taken.

    Recipients whom the node puts off are kept in the maildrop, as all are when no node answers.
    """
    if not draft.recipients:
        raise BadDraft("there is no recipient", code=USAGE)
    try:
        taken = submit(place, draft)
    except Away as away:
        # What the node could not read later had better be refused now.
        seal(draft, place.origin() or HELLO)
        return Receipt(kept_as=_kept(place, draft, str(away)))
    if taken.refused and not taken.queue_id and not taken.delayed:
        raise all_refused(taken.refused)
    return _receipt(place, draft, taken)


def _receipt(place: Place, draft: Draft, taken: Taken) -> Receipt:
    kept_as, refused = "", taken.refused
    if taken.delayed:
        rest = evolve(draft, recipients=tuple(one.address for one in taken.delayed))
        try:
            kept_as = _kept(place, rest, str(taken.delayed[0]))
        except NobodyTakesIt:
            if not taken.queue_id:
                raise
            refused = (*refused, *taken.delayed)
    return Receipt(taken.queue_id, kept_as, refused)


def _kept(place: Place, draft: Draft, why: str) -> str:
    try:
        return keep(place.maildrop, draft, now=time.time_ns() / 1e9)
    except NobodyTakesIt as nobody:
        raise NobodyTakesIt(f"{why}; {nobody}", code=nobody.code) from None


__all__ = ["RefusedRecipient", "hand_over"]
