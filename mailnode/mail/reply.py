"""What a server says: a three-digit code, an enhanced status code, and lines of text (RFC 5321 4.2, RFC 3463).

``Reply`` is a noun and not protocol machinery: outcomes, reports and the spool keep replies long after the session
that heard them is gone.
"""

from attrs import frozen


@frozen(order=True)
class Status:
    """An enhanced status code, class.subject.detail (RFC 3463 section 2)."""

    kind: int
    """2 success, 4 persistent transient failure, 5 permanent failure."""
    subject: int
    detail: int

    def __str__(self) -> str:
        """Render as it stands in a reply: ``5.1.1``."""
        return f"{self.kind}.{self.subject}.{self.detail}"

    @classmethod
    def parse(cls, text: str) -> "Status":
        """Read ``class.subject.detail``; ValueError for anything else."""
        kind, subject, detail = text.split(".")
        if kind not in ("2", "4", "5") or not (_is_status_number(subject) and _is_status_number(detail)):
            raise ValueError(f"not an enhanced status code: {text!r}")
        return cls(int(kind), int(subject), int(detail))


def _is_status_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


@frozen
class Reply:
    """A reply, heard or to be said."""

    code: int
    lines: tuple[str, ...]
    """The text of each line without code and status; never empty, may hold an empty string."""
    status: Status | None = None
    """None where none was given, as in 220, 354 and the replies to EHLO (RFC 2034 section 3)."""

    @classmethod
    def of(cls, code: int, status: str, text: str) -> "Reply":
        """Make a reply of one line; ``status`` may be empty."""
        return cls(code, (text,), Status.parse(status) if status else None)

    @property
    def is_positive(self) -> bool:
        """2yz: done."""
        return 200 <= self.code < 300

    @property
    def is_transient(self) -> bool:
        """4yz: may be tried again."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5yz: will not do."""
        return 500 <= self.code < 600

    def __str__(self) -> str:
        """Render on one line for logs and reports: ``550 5.1.1 No such user``."""
        status = f"{self.status} " if self.status else ""
        return f"{self.code} {status}{' / '.join(line for line in self.lines)}"
