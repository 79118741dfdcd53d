"""Paths and parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailnode.mail.address import Mailbox, parse_forward_path
from mailnode.smtp import replies
from mailnode.smtp.arguments import parse_path, split_path
from mailnode.smtp.faults import Fault


@pytest.mark.parametrize(
    ("argument", "path", "rest"),
    [
        ("FROM:<a@b>", "<a@b>", ""),
        ("from:<a@b> X=1", "<a@b>", "X=1"),
        ("FROM:<>", "<>", ""),
        ('FROM:<"a>b"@c> X', '<"a>b"@c>', "X"),
        (r'FROM:<"a\">b"@c> X', r'<"a\">b"@c>', "X"),
        ("FROM:  <a@b>  X  ", "<a@b>", " X"),
        ("FROM:a@b X", "<a@b>", "X"),
        ('FROM: "a b"@c X', '<"a b"@c>', "X"),
        ("FROM:\t<a@b>", "<a@b>", ""),
        (" FROM: <a@b>", "<a@b>", ""),
    ],
)
def test_paths_are_found(argument: str, path: str, rest: str) -> None:
    """Quotes, brackets and what people leave out are understood."""
    assert split_path(argument, "FROM:", replies.MAIL_SYNTAX, strict=False) == (path, rest)


@pytest.mark.rfc("5321", "4.1.1")
@pytest.mark.parametrize("blanks", ["", " ", "  ", " \t "])
def test_blanks_at_the_end_are_always_tolerated(blanks: str) -> None:
    """Under the strict syntax too, however many there are, with parameters and without."""
    assert split_path("FROM:<a@b>" + blanks, "FROM:", replies.MAIL_SYNTAX, strict=True) == ("<a@b>", "")
    assert split_path("FROM:<a@b> X=1" + blanks, "FROM:", replies.MAIL_SYNTAX, strict=True) == ("<a@b>", "X=1")


@pytest.mark.parametrize(
    "argument", ["", "FROM", "FROM:", "FROM: ", "TO:<a@b>", "FROM:<a@b", "FROM:<a@b>X", "FROM:>", 'FROM:<"a>']
)
@pytest.mark.parametrize("strict", [True, False])
def test_what_holds_no_path(argument: str, strict: bool) -> None:
    """It is refused with the syntax of its command."""
    with pytest.raises(Fault) as caught:
        split_path(argument, "FROM:", replies.MAIL_SYNTAX, strict=strict)
    assert caught.value.reply is replies.MAIL_SYNTAX


@given(st.text(max_size=60), st.booleans())
def test_any_argument_is_split_or_refused(argument: str, strict: bool) -> None:
    """Nothing but Fault is raised, and what is given is in brackets."""
    try:
        path, _ = split_path("FROM:" + argument, "FROM:", replies.MAIL_SYNTAX, strict=strict)
    except Fault:
        return
    assert path[0] == "<"
    assert path[-1] == ">"


@pytest.mark.rfc("6409", "6.2")
@pytest.mark.parametrize(
    ("path", "local_part"),
    [
        ("<ann>", "ann"),
        ('<"a b">', "a b"),
        ("<a b>", None),
        ("<ann@>", None),
        ('<"">', None),
        ("<@a.example:ann>", None),
    ],
)
def test_an_address_without_a_domain_is_taken_where_it_is_wanted(path: str, local_part: str | None) -> None:
    """A local part alone is an address without a domain; what is wrong stays wrong, and elsewhere it is a fault."""
    if local_part is not None:
        assert parse_path(path, parse_forward_path, 553, "5.1.3", bare=True) == Mailbox(local_part, "")
    for bare in (False, True) if local_part is None else (False,):
        with pytest.raises(Fault) as caught:
            parse_path(path, parse_forward_path, 553, "5.1.3", bare=bare)
        assert caught.value.reply.code == 553
