"""Replies on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.reply import Reply
from mailnode.smtp import replies
from mailnode.smtp.rendering import MAX_REPLY_LINE, render


@pytest.mark.rfc("2034", "4")
def test_each_line_carries_code_and_status() -> None:
    """All lines but the last have a hyphen behind the code, all have the status."""
    reply = Reply(250, ("one", "", "three"), replies.OK.status)
    assert render(reply) == b"250-2.0.0 one\r\n250-2.0.0 \r\n250 2.0.0 three\r\n"
    assert render(reply, with_status=False) == b"250-one\r\n250-\r\n250 three\r\n"


def test_a_status_is_not_said_where_it_does_not_belong() -> None:
    """220 and 354 have none, whatever the reply holds."""
    assert render(Reply.of(354, "2.0.0", "go")) == b"354 go\r\n"
    assert render(Reply.of(220, "2.0.0", "mx")) == b"220 mx\r\n"


@pytest.mark.rfc("6531", "3.7.4.2")
def test_utf8_is_said_only_to_who_asked() -> None:
    """Without SMTPUTF8 a character beyond ASCII is an escape."""
    assert render(Reply.of(250, "", "grüß")) == rb"250 gr\xfc\xdf" + b"\r\n"
    assert render(Reply.of(250, "", "grüß"), utf8=True) == "250 grüß\r\n".encode()


@given(st.lists(st.text(max_size=1500), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_no_text_breaks_out_of_its_line(lines: list[str], utf8: bool, with_status: bool) -> None:
    """Whatever the text: every line is at most 512 octets, has its prefix, and CR and LF only at its end."""
    said = render(Reply(550, tuple(lines), replies.NO_SUCH_LIST.status), with_status=with_status, utf8=utf8)
    assert said.endswith(b"\r\n")
    whole = said[:-2].split(b"\r\n")
    prefix = b"5.1.1 " if with_status else b""
    for number, line in enumerate(whole):
        assert len(line) + 2 <= MAX_REPLY_LINE
        assert line.startswith((b"550 " if number == len(whole) - 1 else b"550-") + prefix)
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode("utf-8")


@pytest.mark.rfc("5321", "4.5.3.1.5")
@pytest.mark.parametrize("shift", range(4))
def test_long_text_goes_on_in_lines_of_its_own(shift: int) -> None:
    """Nothing of it is lost, and no character is cut apart."""
    text = "x" * shift + "grün€𝄞" * 300
    said = render(Reply.of(550, "5.1.1", text), utf8=True)
    lines = said.decode().split("\r\n")[:-1]
    assert all(len(line.encode()) + 2 <= MAX_REPLY_LINE for line in lines)
    assert "".join(line[10:] for line in lines) == text
    assert [line[3] for line in lines] == ["-"] * (len(lines) - 1) + [" "]


def test_the_catalogue_is_of_one_piece() -> None:
    """Every standard reply fits one line, and the class of its status is the first digit of its code."""
    catalogue = {name: reply for name, reply in vars(replies).items() if isinstance(reply, Reply)}
    assert len(catalogue) > 30
    for name, reply in catalogue.items():
        assert render(reply).count(b"\r\n") == 1, name
        assert reply.status is None or reply.status.kind == reply.code // 100, name
