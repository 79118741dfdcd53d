"""format=flowed: paragraphs that mail programs may wrap anew (RFC 3676)."""

from textwrap import TextWrapper

WIDTH = 72
_QUOTE = ">"


def to_flowed(text: str, width: int = WIDTH) -> str:
    """Write text as format=flowed, with LF line ends: long lines are broken with a blank before the break (section 4.2)."""
    return "\n".join(line for paragraph in text.split("\n") for line in _flow(paragraph.rstrip("\r"), width))


def from_flowed(text: str, *, delsp: bool = False) -> str:
    """Join what format=flowed has broken (section 4.4); quoted lines stay lines of their own depth."""
    paragraphs: list[str] = []
    depth_before, is_open = 0, False
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(_QUOTE))
        rest = line[depth:].removeprefix(" ")
        is_signature = rest == "-- "
        if is_open and depth == depth_before and not is_signature:
            paragraphs[-1] += rest
        else:
            paragraphs.append((_QUOTE * depth + " " if depth else "") + rest)
        is_open = rest.endswith(" ") and not is_signature
        if is_open and delsp:
            paragraphs[-1] = paragraphs[-1][:-1]
        depth_before = depth
    return "\n".join(paragraphs)


def _flow(paragraph: str, width: int) -> list[str]:
    if paragraph == "-- ":
        return [paragraph]
    stripped = paragraph.rstrip(" ")
    if len(stripped) <= width or paragraph.startswith(_QUOTE):
        return [_stuffed(stripped)]
    wrapper = TextWrapper(
        width - 1, break_long_words=False, break_on_hyphens=False, drop_whitespace=False, replace_whitespace=False
    )
    lines = wrapper.wrap(stripped)
    # TextWrapper puts the blank in front of the next line when it does not fit; it belongs behind the one before.
    for place in range(1, len(lines)):
        blanks = len(lines[place]) - len(lines[place].lstrip(" "))
        lines[place - 1] += lines[place][:blanks]
        lines[place] = lines[place][blanks:]
    return [_stuffed(line) for line in lines if line]


def _stuffed(line: str) -> str:
    """Put a blank before what would be read as a quote, a blank of ours, or an mbox separator (section 4.4)."""
    return f" {line}" if line.startswith((" ", _QUOTE, "From ")) else line
