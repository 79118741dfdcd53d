"""Numbers as they are dialled."""

import re

MOST = 200_000
"""Characters of a mail that are looked at; no text message is longer."""
_NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)
_SPACING = re.compile(r"[ ()/.-]")


def dialled(text: str) -> str:
    """Give a number's digits; empty for what is none."""
    bare = _SPACING.sub("", text)
    return bare.removeprefix("+") if _NUMBER.fullmatch(bare) and len(bare) <= 20 else ""
