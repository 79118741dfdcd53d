"""The reason why a node does not start, in one line for whoever started it."""


class StartFailed(Exception):  # noqa: N818 - it says what happened
    """The node cannot start."""
