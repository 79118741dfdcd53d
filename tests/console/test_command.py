"""Tests of the mailnode command without a node: it works on the data folder itself."""

import io
import json
import os
from pathlib import Path

import pytest

from mailnode.console.command import main
from mailnode.service.folder import FolderLock

CONFIGURATION = """
[node]
hostname = "mx.example.org"
data = "{data}"
[[domain]]
name = "example.org"
[domain.aliases]
staff = ["ann", "bob@example.net"]
[[domain]]
name = "open.example"
accounts = "any"
"""


class Shell:
    """Runs the command as a shell would."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        (folder / "mailnode.toml").write_text(CONFIGURATION.format(data=self.data))

    stdin = ""

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Give the exit status, standard output and standard error."""
        self._monkeypatch.setattr("sys.argv", ["mailnode", *arguments])
        self._monkeypatch.setattr("sys.stdin", io.StringIO(self.stdin))
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
        out, err = self._capsys.readouterr()
        return status, out, err


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a shell in a folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILNODE_CONFIG", raising=False)
    return Shell(tmp_path, capsys, monkeypatch)


def test_check_finds_nothing_in_a_good_configuration(shell: Shell) -> None:
    """It says which file it has read, and exits with 0."""
    assert shell.run("check") == (0, "mailnode.toml: no faults\n", "")


def test_check_reports_all_faults_and_exits_with_1(shell: Shell) -> None:
    """The report goes to standard error."""
    (shell.folder / "bad.toml").write_text("[node]\nworkers = 0\nhostnam = 'a'\n")
    status, out, err = shell.run("check", "--config", "bad.toml")
    assert (status, out) == (1, "")
    assert err.splitlines()[0] == "bad.toml: 2 faults"
    assert len(err.splitlines()) == 3


def test_the_environment_names_the_configuration(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--config`` comes first, then MAILNODE_CONFIG, then the usual places."""
    monkeypatch.setenv("MAILNODE_CONFIG", str(shell.folder / "none.toml"))
    assert shell.run("check")[0] == 1
    assert shell.run("check", "--config", "mailnode.toml")[0] == 0


def test_without_any_configuration_the_private_node_is_meant(shell: Shell) -> None:
    """The embedded settings have no faults."""
    (shell.folder / "mailnode.toml").unlink()
    status, out, _ = shell.run("check")
    assert status == 0
    assert out.startswith("the private node")


def test_a_faulty_configuration_ends_every_other_command_with_78(shell: Shell) -> None:
    """EX_CONFIG of sysexits.h."""
    (shell.folder / "mailnode.toml").write_text("nonsense")
    assert shell.run("queue", "list")[0] == 78


def test_errors_of_usage_exit_with_64(shell: Shell) -> None:
    """EX_USAGE of sysexits.h."""
    for arguments in (["nonsense"], ["send"], ["queue", "hold"], ["queue", "list", "--older", "soon"], ["explain"]):
        status, out, err = shell.run(*arguments)
        assert (status, out) == (64, ""), arguments
        assert err


def test_help_exits_with_0(shell: Shell) -> None:
    """``--help`` is no error."""
    status, out, _ = shell.run("--help")
    assert status == 0
    assert "explain" in out


def test_accounts_come_and_go(shell: Shell) -> None:
    """Added accounts are listed; what is done already is one line and an exit code."""
    assert shell.run("account", "add", "ann@example.org", "bob@example.org") == (0, "", "")
    assert shell.run("account", "list") == (0, "ann@example.org\nbob@example.org\n", "")
    assert shell.run("account", "add", "ann@example.org") == (65, "", "mailnode: ann@example.org is known already\n")
    assert shell.run("account", "remove", "bob@example.org")[0] == 0
    status, out, _ = shell.run("account", "list", "example.org", "--json")
    assert (status, json.loads(out)) == (
        0,
        {
            "address": "ann@example.org",
            "name": "",
            "password": False,
            "disabled": False,
            "relayed_domains": [],
        },
    )


def test_explain_gives_reasons(shell: Shell) -> None:
    """Each step and its end stand on lines of their own."""
    shell.run("account", "add", "ann@example.org")
    status, out, _ = shell.run("explain", "staff@example.org")
    assert status == 0
    assert "=> maildir (ann@example.org)" in out
    assert "=> smtp example.net" in out
    status, out, _ = shell.run("explain", "nobody@example.org")
    assert "=> refused: 550 5.1.1" in out


def test_send_delivers_at_once_to_our_own_mailboxes(shell: Shell) -> None:
    """The message lies in the Maildir when the command ends, with the line ends of the disk."""
    (shell.folder / "message").write_bytes(b"Subject: x\n\nhello\r\nlast")
    status, out, err = shell.run("send", "--from", "ann@example.org", "--to", "x@open.example", "message")
    assert (status, err) == (0, "")
    (mail,) = (shell.data / "mail" / "open.example" / "x" / "new").iterdir()
    assert mail.read_bytes().endswith(b"\n\nhello\nlast\n")
    assert b"\nSubject: x\nDate: " in mail.read_bytes()  # it is completed like all mail of programs
    status, traced, _ = shell.run("trace", out.strip())
    assert status == 0
    assert "accepted from=<ann@example.org>" in traced


def test_what_goes_outside_waits_in_the_spool(shell: Shell) -> None:
    """Without a node nothing is sent; the queue can be looked at and changed."""
    (shell.folder / "message").write_bytes(b"Subject: x\n\nhello\n")
    _, out, _ = shell.run("send", "--from", "ann@example.org", "--to", "bob@example.net", "message")
    queue_id = out.strip()
    status, out, _ = shell.run("queue", "list", "--json")
    entry = json.loads(out)
    assert (status, entry["queue_id"], entry["from"]) == (0, queue_id, "ann@example.org")
    status, out, _ = shell.run("queue", "list", "--domain", "example.net")
    assert out.split("\t")[0] == queue_id
    assert "bob@example.net" in shell.run("queue", "show", queue_id)[1]
    assert shell.run("queue", "hold", queue_id) == (0, "1 recipient held\n", "")
    assert "held" in shell.run("queue", "show", queue_id)[1]
    assert shell.run("queue", "release", "--all") == (0, "1 recipient released\n", "")
    assert shell.run("queue", "retry", "--from", "ann@example.org") == (0, "1 recipient due now\n", "")
    assert "waits: <bob@example.net>" in shell.run("trace", queue_id)[1]
    assert shell.run("queue", "remove", queue_id) == (0, "1 recipient removed\n", "")
    assert shell.run("queue", "list") == (0, "", "The queue is empty.\n")
    assert shell.run("queue", "show", queue_id)[0] == 67


def test_an_address_that_is_refused_exits_with_69(shell: Shell) -> None:
    """The reply of the door is the error."""
    (shell.folder / "message").write_bytes(b"x")
    status, out, err = shell.run("send", "--from", "a@example.org", "--to", "nobody@example.org", "message")
    assert (status, out) == (69, "")
    assert err.startswith("mailnode: <nobody@example.org>: 550 5.1.1 ")


def test_a_message_that_cannot_be_read_exits_with_66(shell: Shell) -> None:
    """EX_NOINPUT of sysexits.h."""
    status, _, err = shell.run("send", "--from", "a@example.org", "--to", "x@open.example", "none")
    assert (status, err) == (66, "mailnode: none: No such file or directory\n")


def test_a_folder_held_by_another_process_exits_with_69(shell: Shell) -> None:
    """Nothing is touched while somebody else works on it."""
    shell.data.mkdir()
    lock = FolderLock(shell.data)
    status, _, err = shell.run("queue", "list")
    lock.release()
    assert status == 69
    assert f"in use by another process ({os.getpid()})" in err


def test_an_account_gets_a_password_and_loses_it(shell: Shell) -> None:
    """From standard input, a line an address; what is known is shown as JSON, the password never."""
    shell.stdin = "one\n\n"
    assert shell.run("account", "add", "ann@example.org", "bob@example.org", "--name", "Somebody") == (0, "", "")
    shell.stdin = "two\n"
    assert shell.run("account", "password", "bob@example.org")[0] == 0
    assert shell.run("account", "password", "ann@example.org", "--no-password")[0] == 0
    for command in (
        ("disable", "ann@example.org"),
        ("rename", "bob@example.org", "Bob"),
    ):
        assert shell.run("account", *command)[0] == 0
    _, out, _ = shell.run("account", "list", "--json")
    ann, bob = [json.loads(line) for line in out.splitlines()]
    assert (ann["name"], ann["password"], ann["disabled"]) == ("Somebody", False, True)
    assert (bob["name"], bob["password"], bob["relayed_domains"]) == ("Bob", True, [])
    assert shell.run("account", "enable", "ann@example.org")[0] == 0
    shell.stdin = ""
    assert shell.run("account", "password", "bob@example.org")[0] != 0
