"""The table of order, every pair of it."""

import pytest

from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.states import LMTP_ORDER, ORDER, Command, Move, State

SILENT = {State.GREETING, State.CONTENT, State.CHALLENGED, State.HANDSHAKE, State.CLOSED}

LAWFUL = {
    State.TURNED_AWAY: {"QUIT"},
    State.STRANGER: {"HELLO", "RSET", "NOOP", "QUIT"},
    State.READY: {"HELLO", "MAIL", "RSET", "NOOP", "QUIT", "STARTTLS", "AUTH", "EXTRA"},
    State.SENDER: {"HELLO", "RCPT", "RSET", "NOOP", "QUIT"},
    State.NOBODY: {"HELLO", "RCPT", "RSET", "NOOP", "QUIT"},
    State.RECIPIENTS: {"HELLO", "RCPT", "DATA", "BDAT", "BDAT_LAST", "RSET", "NOOP", "QUIT"},
    State.CHUNKS: {"HELLO", "BDAT", "BDAT_LAST", "RSET", "NOOP", "QUIT"},
}


def test_every_state_has_a_row_or_reads_nothing() -> None:
    """A state stands in the table, or no command is read in it."""
    assert set(ORDER) == set(LMTP_ORDER) == set(State) - SILENT


@pytest.mark.rfc("5321", "4.1.4")
@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("state", LAWFUL)
def test_every_pair(state: State, command: Command) -> None:
    """Each command is lawful exactly where it should be, and refused with 503 or 554 elsewhere."""
    for order in (ORDER, LMTP_ORDER):
        rule = order[state][command]
        assert isinstance(rule, Move) == (command.name in LAWFUL[state])
        if isinstance(rule, Reply):
            assert rule.code in (503, 554)
            assert str(rule.status) == "5.5.1"


@pytest.mark.parametrize("state", LAWFUL)
def test_a_hello_and_a_reset_end_the_transaction(state: State) -> None:
    """Where they are lawful and accepted, no transaction is left."""
    for command in (Command.HELLO, Command.RSET):
        rule = ORDER[state][command]
        if isinstance(rule, Move):
            assert rule.accepted in (State.READY, State.STRANGER)
            assert rule.refused is state


def test_what_changes_nothing_changes_nothing() -> None:
    """NOOP and its kin stay in every state but the one that only knows QUIT."""
    for state in LAWFUL:
        if state is not State.TURNED_AWAY:
            assert ORDER[state][Command.NOOP] == Move(state, state)


@pytest.mark.rfc("2033", "4.2")
def test_lmtp_has_its_own_words() -> None:
    """DATA without a valid recipient is 503 in LMTP, and the hello it misses is LHLO."""
    assert LMTP_ORDER[State.NOBODY][Command.DATA] == replies.LMTP_NO_VALID_RECIPIENTS
    assert LMTP_ORDER[State.STRANGER][Command.MAIL] == replies.LHLO_FIRST
