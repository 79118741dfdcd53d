"""SASLprep: names and passwords as they are compared (RFC 4013), whatever keyboard they were typed on."""

import stringprep
from unicodedata import ucd_3_2_0

LONGEST = 1024
"""Characters of a name or password; more is no honest one."""

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prepared(text: str) -> str:
    """Prepare a name or password; ValueError for what may not stand in one, or is too long."""
    if len(text) > LONGEST:
        raise ValueError("is too long")
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(" " if stringprep.in_table_c12(one) else one for one in text if not stringprep.in_table_b1(one))
    made = ucd_3_2_0.normalize("NFKC", mapped)
    if any(is_in(one) for one in made for is_in in _PROHIBITED):
        raise ValueError("has a character that may not stand there (RFC 4013)")
    if any(map(stringprep.in_table_d1, made)):
        _check_direction(made)
    return made


def _check_direction(text: str) -> None:
    """Refuse text whose letters run in both directions (RFC 3454 section 6)."""
    edges_run_left = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not edges_run_left or any(map(stringprep.in_table_d2, text)):
        raise ValueError("has letters of both directions (RFC 3454)")
