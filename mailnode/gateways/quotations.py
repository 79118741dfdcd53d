"""What a mail says in its sender's own words, for systems where a line is precious: without what it quotes.

Who quotes and how is nobody's standard: lines that begin with ``>``, before them a line or two that end in a colon, and a
signature behind ``-- `` (RFC 3676 section 4.3). What looks otherwise is kept, for too much is better than too little.
"""

import re

MOST = 200_000
"""Characters that are looked at; where own words count, nobody reads so many."""


def own_words(text: str) -> str:
    """Leave out quotations, the line that announces one, and the signature; the whole text if nothing else is there."""
    kept: list[str] = []
    for line in text[:MOST].split("\n"):
        if line == "-- ":
            break
        if line.startswith(">"):
            _drop_announcement(kept)
            continue
        kept.append(line.rstrip())
    own = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return own or text[:MOST].strip()


def _drop_announcement(kept: list[str]) -> None:
    """Take back "On Monday Ann wrote:", which may be broken into two lines, before a quotation."""
    if kept and kept[-1].endswith(":"):
        kept.pop()
        while kept and kept[-1]:
            kept.pop()
