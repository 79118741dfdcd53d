"""What a mail says in its sender's own words, and numbers as they are dialled."""

import re

MOST = 200_000
"""Characters that are looked at; no text message is longer."""
_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)
_SPACING = re.compile(r"[ ()/.-]")


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


def dialled(text: str) -> str:
    """Give a number's digits; empty for what is none."""
    bare = _SPACING.sub("", text)
    return bare.removeprefix("+") if _NUMBER.fullmatch(bare) and len(bare) <= 20 else ""
