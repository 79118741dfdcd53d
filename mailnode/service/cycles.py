"""How often the interpreter looks for objects that only hold one another: seldom, and never among what stays.

Nearly everything here is freed the moment nobody holds it any more. What is left for the search is a few objects a
session, while its cost grows with all that is alive: with the interpreter's own thresholds it takes a fortieth of the
time under load, and now and then one search goes through every module, which holds all sessions up for 50 ms. So it
begins at a few thousand new objects (no more, for a session under TLS that is over keeps 100 kB until then), and what
a start has made is left out for good.
"""

import gc

MOST_NEW = 2000
"""Objects made and not freed, after which those are searched; the interpreter's own number is 700."""


def search_seldom() -> None:
    """Search less often from now on; before the rooms are imported, which makes many objects and no waste."""
    _, middle, old = gc.get_threshold()
    gc.set_threshold(MOST_NEW, middle, old)


def spare_what_is() -> None:
    """Search only what is made from now on: code and settings are here to stay. Once, when the start is over."""
    gc.freeze()
