"""Tests of the sendmail twin's command line."""

import pytest

from mailnode.console.sendmail_options import WrongUsage, read
from mailnode.mail.envelope import Notify, Return


def test_values_stand_in_the_same_word_or_in_the_next() -> None:
    """-fann and -f ann; what follows the options are recipients."""
    for words in (
        ["-fann", "-FAnn B", "bob"],
        ["-f", "ann", "-F", "Ann B", "bob"],
        ["-r", "ann", "-FAnn B", "--", "bob"],
    ):
        options = read("sendmail", words)
        assert (options.sender, options.full_name, options.recipients) == ("ann", "Ann B", ["bob"])


def test_flags_may_stand_together() -> None:
    """-ti is -t and -i; -oi is the old word for -i."""
    options = read("sendmail", ["-tiv"])
    assert (options.from_header, options.ignore_dot, options.is_verbose) == (True, True, True)
    assert read("sendmail", ["-oi", "-oem"]).ignore_dot


def test_the_name_it_is_called_by_counts() -> None:
    """Mailq lists, newaliases does nothing, all else sends."""
    assert [read(name, []).mode for name in ("mailq", "newaliases", "sendmail", "mailnode-sendmail")] == [
        "p",
        "i",
        "m",
        "m",
    ]


@pytest.mark.rfc("3461", "4.1")
def test_wishes_for_notifications() -> None:
    """-N, -R and -V; what makes no sense is warned of and left out, as by Postfix."""
    options = read("sendmail", ["-N", "success,delay", "-R", "hdrs", "-V", "id", "a"])
    assert options.notify == Notify.SUCCESS | Notify.DELAY
    assert (options.returns, options.envelope_id, options.warnings) == (Return.HEADERS, "id", [])
    assert read("sendmail", ["-Nnever", "a"]).notify is Notify.NEVER
    odd = read("sendmail", ["-Nodd", "-Rodd", "-V", "x" * 101, "a"])
    assert (odd.notify, odd.returns, odd.envelope_id) == (Notify.UNSPECIFIED, Return.UNSPECIFIED, "")
    assert len(odd.warnings) == 3


def test_the_queue_is_run_whole_or_in_part() -> None:
    """-q, -qI and -qR; a time is for a daemon, which the node is anyway."""
    assert read("sendmail", ["-q"]).mode == "q"
    assert read("sendmail", ["-qf"]).mode == "q"
    assert read("sendmail", ["-qIabc"]).queue_id == "abc"
    assert read("sendmail", ["-qRexample.org"]).site == "example.org"
    assert read("sendmail", ["-q30m"]).mode == "n"


@pytest.mark.parametrize("word", ["-O", "-h", "-L", "-X", "-p", "-e"])
def test_what_is_ignored_takes_its_value_along(word: str) -> None:
    """The value of an ignored option is no recipient."""
    assert read("sendmail", [word, "value", "ann"]).recipients == ["ann"]


@pytest.mark.parametrize("words", [["-f"], ["-Z"], ["-bt"], ["-b"], ["-Bodd"], ["-qSx"], ["-x@example.org"]])
def test_what_makes_no_sense_is_said(words: list[str]) -> None:
    """A message, and 64."""
    with pytest.raises(WrongUsage) as wrong:
        read("sendmail", words)
    assert wrong.value.code == 64


def test_a_lone_dash_is_no_option() -> None:
    """Neither are words behind the first recipient."""
    assert read("sendmail", ["-", "-t"]).recipients == ["-", "-t"]
    assert not read("sendmail", ["ann", "-t"]).from_header
