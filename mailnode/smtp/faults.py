"""Why a line was not understood: the exception within the parsers, and the one for our own misuse of the machine."""

from mailnode.mail.reply import Reply


class Fault(Exception):  # noqa: N818 - the peer's mistake; it never leaves the machine
    """The peer's line is wrong; ``reply`` says how. The machine makes a Faulty event of it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Misuse(RuntimeError):  # noqa: N818 - ours alone
    """The machine was used against its rules: a bug of ours, never the peer's doing."""
