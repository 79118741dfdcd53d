"""What a homeserver's errors mean for a message (Matrix, Client-Server API, section 2.2)."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from mailnode.gateways.api import Delayed, Failed, HttpResponse, Outcome, http_outcome

_MEANINGS: Mapping[str, Outcome] = {
    "M_FORBIDDEN": Failed("", "5.7.1"),
    "M_NOT_FOUND": Failed("", "5.1.1"),
    "M_TOO_LARGE": Failed("", "5.3.4"),
    "M_BAD_JSON": Failed("", "5.6.0"),
    "M_INVALID_PARAM": Failed("", "5.1.3"),
    "M_INVALID_USERNAME": Failed("", "5.1.3"),
    "M_USER_DEACTIVATED": Failed("", "5.1.6"),
    "M_USER_SUSPENDED": Failed("", "5.2.1"),
    "M_UNKNOWN_TOKEN": Delayed("", "4.7.8"),  # ours: the operator can mend it
    "M_MISSING_TOKEN": Delayed("", "4.7.8"),
    "M_EXCLUSIVE": Delayed("", "4.3.5"),  # the registration does not give us these names
    "M_LIMIT_EXCEEDED": Delayed("", "4.7.28"),
    "M_RESOURCE_LIMIT_EXCEEDED": Delayed("", "4.3.1"),
}


@frozen
class Declined(Exception):  # noqa: N818 - what the homeserver has done
    """A request that was answered by an error."""

    status: int
    errcode: str
    text: str
    outcome: Outcome

    def __str__(self) -> str:
        """Give its words."""
        return self.text


def declined(answer: HttpResponse, said: Mapping[str, Any]) -> Declined:
    """Read an error."""
    errcode = str(said.get("errcode", ""))[:60]
    text = f"{errcode} {said.get('error', '')}"[:300].strip()
    found = _MEANINGS.get(errcode)
    if isinstance(found, Failed):
        outcome: Outcome = Failed(text, found.status)
    elif isinstance(found, Delayed):
        outcome = Delayed(text, found.status, _wait(answer, said))
    else:
        outcome = http_outcome(answer.status, text, retry_after=answer.headers.get("retry-after", ""))
    return Declined(answer.status, errcode, text or f"HTTP {answer.status}", outcome)


def _wait(answer: HttpResponse, said: Mapping[str, Any]) -> float | None:
    """Give the seconds that the homeserver wants us to wait; by header since Matrix 1.10, by body before."""
    header, body = answer.headers.get("retry-after", ""), said.get("retry_after_ms")
    if header.isascii() and header.isdigit():
        return min(float(header), 86400.0)
    return min(float(body) / 1000, 86400.0) if isinstance(body, int | float) else None
