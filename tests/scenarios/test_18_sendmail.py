"""Programs of this machine send through the sendmail twin, with a node and without: cron, mail(1), mutt, Python, anybody."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.dsn import read_dsn
from tests.kit.node import Node, settings
from tests.kit.programs import need_namespaces, need_root, program, script
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

LETTER = b"To: ann@example.org\nSubject: hello\n\nfrom a program\n"
NOBODY = 65534

MORE = '\n[[route]]\nmatch = "*"\ncourier = "refuse"\n\n[originator]\npickup_interval = "1s"\n'


AS_NOBODY = f"""
import os, sys
import mailnode.console.mailq, mailnode.console.sendmail, mailnode.originate, mailnode.service.config
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
"""
"""Become nobody once all is imported: a Python in root's home is not for everybody, and mail must be."""

AS_NOBODY_RUN = f"{AS_NOBODY}sys.exit(mailnode.console.sendmail.run('sendmail', sys.argv[1:]))"


class Twin:
    """The sendmail of one node, for any user."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.link = node.folder / "sendmail"
        self.link.write_text(f'#!/bin/sh\nexec {script("mailnode-sendmail")} "$@"\n')
        self.link.chmod(0o755)
        self.environment = {**os.environ, "MAILNODE_CONFIG": str(node.configuration)}

    def run(
        self, *arguments: str, stdin: bytes = LETTER, as_nobody: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end."""
        command = [sys.executable, "-c", AS_NOBODY_RUN] if as_nobody else [str(self.link)]
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env=self.environment,
            cwd="/",
        )


def _open_to_all(folder: Path) -> None:
    """Let other users through to a folder of the test, as they are to /var/lib/mailnode."""
    for one in (folder, *folder.parents):
        if one == Path("/tmp") or one.stat().st_uid != os.geteuid():
            return
        one.chmod(one.stat().st_mode | 0o011)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Give a node that runs; every address at example.org has its Maildir."""
    node = Node(tmp_path_factory.mktemp("sendmail") / "n", settings(more=MORE))
    _open_to_all(node.folder)
    node.folder.chmod(0o755)
    node.configuration.chmod(0o644)
    try:
        yield node.start()
    finally:
        node.kill()


@pytest.fixture(scope="module")
def twin(node: Node) -> Twin:
    """Give its sendmail."""
    return Twin(node)


# --- with a node --------------------------------------------------------------------------------------------------


def test_a_letter_goes_through_completed(node: Node, twin: Twin) -> None:
    """-t, -F and -f: recipients from the header, Bcc hidden, the local user in the trace field."""
    letter = b"To: full@example.org\nBcc: hidden\nSubject: x\n\ntext\n.\nnot this\n"
    done = twin.run("-t", "-F", "Full Name", "-f", "bob", stdin=letter)
    assert (done.returncode, done.stderr) == (0, b"")
    [seen] = node.wait_for("hidden@example.org")
    assert b"Bcc" not in seen
    assert b"(local user root)" in seen or os.geteuid()
    assert b"\nFrom: Full Name <bob@example.org>\n" in seen
    assert b"Return-Path: <bob@example.org>" in seen
    assert seen.endswith(b"\n\ntext\n")
    node.wait_for("full@example.org")


def test_a_dot_is_text_with_i_and_crlf_is_a_line_end(node: Node, twin: Twin) -> None:
    """-i and -oi; lines of either kind are lines."""
    for number, option in enumerate(("-i", "-oi"), start=1):
        assert twin.run(option, "dots", stdin=b"Subject: x\r\n\r\na\r\n.\nb\n").returncode == 0
        assert node.wait_for("dots@example.org", number)[-1].endswith(b"\n\na\n.\nb\n")


def test_refusals_are_told_at_once(node: Node, twin: Twin) -> None:
    """Who can be served is; for the others there is a line and an exit code."""
    done = twin.run("partly@example.org", "x@elsewhere.example")
    assert done.returncode == 69
    assert done.stderr.startswith(b"sendmail: <x@elsewhere.example>: 550 5.7.1")
    node.wait_for("partly@example.org")


def test_bs_is_a_session_with_the_node(node: Node, twin: Twin) -> None:
    """A program that speaks SMTP to standard input is spoken to by the node itself."""
    talk = b"EHLO a\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<bs@example.org>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n"
    done = twin.run("-bs", stdin=talk)
    assert done.returncode == 0
    assert done.stdout.startswith(b"220 mx.example.org ESMTP")
    assert done.stdout.splitlines()[-1].startswith(b"221 ")
    node.wait_for("bs@example.org")


def test_bs_is_interactive(twin: Twin) -> None:
    """Each command is answered before the next one is known."""
    with subprocess.Popen(
        [str(twin.link), "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=twin.environment, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for said, heard in ((b"", b"220 "), (b"NOOP\r\n", b"250 "), (b"QUIT\r\n", b"221 ")):
            process.stdin.write(said)
            assert process.stdout.readline().startswith(heard)
        assert process.wait(20) == 0


def test_the_queue_is_listed_and_run(twin: Twin) -> None:
    """-bp and mailq, -q."""
    done = twin.run("-bp")
    assert (done.returncode, done.stdout) == (0, b"Mail queue is empty\n")
    assert twin.run("-q").returncode == 0
    assert twin.run("-q15m").returncode == 0


def test_s_nail_sends(node: Node, twin: Twin, tmp_path: Path) -> None:
    """mail(1) with mta= set to the twin."""
    done = subprocess.run(
        [program("s-nail"), "-n", "-S", f"mta={twin.link}", "-S", "sendwait", "-s", "by mail", "nail@example.org"],
        input=b"from s-nail\n", capture_output=True, timeout=60, check=False, env={**twin.environment, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [seen] = node.wait_for("nail@example.org")
    assert b"Subject: by mail" in seen
    assert b"from s-nail\n" in seen


def test_mutt_sends(node: Node, twin: Twin, tmp_path: Path) -> None:
    """Mutt with sendmail= set to the twin, and the options it gives by itself."""
    options = [
        f'set sendmail="{twin.link} -oem -oi"',
        "set copy=no",
        "set from=ann@example.org",
        "set use_envelope_from",
    ]
    commands = [word for option in options for word in ("-e", option)]
    done = subprocess.run(
        [program("mutt"), "-n", "-F", "/dev/null", *commands, "-s", "by mutt", "--", "mutt@example.org"],
        input=b"from mutt\n", capture_output=True, timeout=60, check=False, env={**twin.environment, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [seen] = node.wait_for("mutt@example.org")
    assert b"Return-Path: <ann@example.org>" in seen


CRON = """
mount -t tmpfs none /run && mount -t tmpfs none /var/spool/cron && mkdir /var/spool/cron/crontabs || exit 99
mount --bind "$1" /usr/sbin/sendmail || exit 99
printf 'MAILTO=cron@example.org\n@reboot echo from a job\n' > /var/spool/cron/crontabs/root
chmod 600 /var/spool/cron/crontabs/root
exec timeout 20 cron -f
"""
"""Debian's cron in a mount namespace: its spool is empty but for our job, and /usr/sbin/sendmail is the twin."""


def test_cron_tells_by_mail_what_its_jobs_print(node: Node, twin: Twin) -> None:
    """The daemon itself: the output of a job reaches whom MAILTO names."""
    need_namespaces()
    program("cron")
    # cron gives its children no environment of ours.
    own = twin.link.with_name("sendmail-for-cron")
    own.write_text(f'#!/bin/sh\nMAILNODE_CONFIG={node.configuration} exec {script("mailnode-sendmail")} "$@"\n')
    own.chmod(0o755)
    with subprocess.Popen(
        ["unshare", "-m", "sh", "-c", CRON, "cron", str(own)], start_new_session=True, stderr=subprocess.PIPE
    ) as process:
        try:
            [seen] = node.wait_for("cron@example.org")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert b"Cron Daemon" in seen
    assert b"Return-Path: <root@example.org>" in seen
    assert seen.endswith(b"\n\nfrom a job\n")


PROGRAM = """
from email.message import EmailMessage
from mailnode.originate import NotSent, send
message = EmailMessage()
message["From"] = "Ann <ann@example.org>"
message["To"] = "python@example.org"
message["Subject"] = "Grüße"
message.set_content("from Python: ä")
receipt = send(message, data="{data}")
print(receipt.queue_id, bool(receipt.kept_as), len(receipt.refused))
try:
    send(message, data="{data}", recipients=["x@elsewhere.example"])
except NotSent as trouble:
    print(trouble.code, trouble.refused[0].reply.code)
"""


def test_a_python_program_sends(node: Node) -> None:
    """``mailnode.originate.send`` needs no reactor, gives the queue id, and raises what can be caught."""
    text = PROGRAM.format(data=node.data)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    queue_id, *rest = first.split()
    assert rest == ["False", "0"]
    assert second == "69 550"
    assert f" id {queue_id}\n".encode() in node.wait_for("python@example.org")[0]


def test_anybody_may_send(node: Node, twin: Twin) -> None:
    """An unprivileged user reaches the socket and nothing else; the trace field names who it was."""
    need_root()
    done = twin.run("anybody@example.org", as_nobody=True)
    assert (done.returncode, done.stderr) == (0, b"")
    [seen] = node.wait_for("anybody@example.org")
    assert b"(local user nobody)" in seen
    assert b"\nFrom: nobody <nobody@example.org>\n" in seen
    assert twin.run("-bp", as_nobody=True).returncode == 77
    for name in ("control.sock", "spool.db", "mail", "public/maildrop", "taken"):
        with pytest.raises(PermissionError):
            _as_nobody(node.data / name)


def _as_nobody(path: Path) -> None:
    """Try to open something as nobody would."""
    done = subprocess.run(
        ["ls" if path.is_dir() else "cat", str(path)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise PermissionError(done.stderr)


# --- without a node -----------------------------------------------------------------------------------------------


def _stopped(make_node: MakeNode) -> tuple[Node, Twin]:
    """Give a node that has run once and runs no more, and its sendmail."""
    node = make_node(settings(more=MORE))
    _open_to_all(node.folder)
    node.folder.chmod(0o755)
    node.configuration.chmod(0o644)
    node.stop()
    return node, Twin(node)


def _drafts(node: Node) -> list[str]:
    return os.listdir(node.data / "public" / "maildrop")


def test_the_next_start_takes_what_was_kept_once(make_node: MakeNode) -> None:
    """By -t, by -bs and from Python, of root and of nobody: all are there after the start, and stay single after another."""
    node, twin = _stopped(make_node)
    assert twin.run("-t", "-f", "bob@example.org").returncode == 0
    talk = b"EHLO a\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n"
    said = twin.run("-bs", stdin=talk).stdout
    assert b"250 2.0.0 Kept as" in said
    assert b"BINARYMIME" not in said  # drafts are lines
    text = PROGRAM.format(data=node.data).replace("python@", "ann@").partition("try:")[0]
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["True", "0"], done.stderr
    count = 3
    if not os.geteuid():
        assert twin.run("ann@example.org", as_nobody=True).returncode == 0
        count = 4
    assert len(_drafts(node)) == count
    node.start()
    seen = node.wait_for("ann@example.org", count)
    assert os.geteuid() or sum(b"(local user nobody)" in one for one in seen) == 1
    until(lambda: not _drafts(node) and not os.listdir(node.data / "taken"), 10, "drafts are left over")
    node.restart()
    assert len(node.names("ann@example.org")) == count


def test_what_the_door_refuses_later_returns_to_its_sender(make_node: MakeNode) -> None:
    """Whoever kept it was told that all is well, so a notification is owed; other recipients are served."""
    node, twin = _stopped(make_node)
    assert twin.run("-f", "bob@example.org", "ann@example.org", "x@elsewhere.example").returncode == 0
    node.start()
    node.wait_for("ann@example.org")
    dsn = read_dsn(node.wait_for("bob@example.org")[0])
    assert dsn.failed == {"x@elsewhere.example"}


def test_hostile_files_are_put_aside(make_node: MakeNode) -> None:
    """They are logged and moved away; mail that lies between them is taken."""
    node, twin = _stopped(make_node)
    maildrop = node.data / "public" / "maildrop"
    name = "{:016x}.{:032x}".format
    (maildrop / name(1, 1)).write_bytes(b"nonsense")
    (maildrop / name(1, 2)).symlink_to("/etc/passwd")
    os.mkfifo(maildrop / name(1, 3))
    (maildrop / "strange").write_bytes(b"x")
    assert twin.run("ann@example.org").returncode == 0
    node.start()
    node.wait_for("ann@example.org")
    until(lambda: len(os.listdir(node.data / "aside")) == 4, 10, lambda: f"not all are aside: {node.log()}")
    assert not _drafts(node)
    assert node.log().count("is no mail") == 4


def test_a_twin_that_is_killed_leaves_no_half_message(make_node: MakeNode) -> None:
    """Killed at any moment, it has sent all of it or nothing; what it had begun is no draft."""
    node, twin = _stopped(make_node)
    whole = b"Subject: big\n\n" + b"0123456789" * 200_000 + b"\nthe end\n"
    finished = 0
    for round_ in range(10):
        with subprocess.Popen(
            [str(twin.link), "big@example.org"], stdin=subprocess.PIPE, env=twin.environment
        ) as process:
            assert process.stdin is not None
            try:
                process.stdin.write(whole[: len(whole) * (round_ + 1) // 8])
                if round_ >= 7:
                    process.stdin.close()
                time.sleep(0.02 * round_)
            finally:
                process.send_signal(signal.SIGKILL)
                finished += process.wait() == 0
    assert twin.run("big@example.org", stdin=whole).returncode == 0
    complete = [name for name in _drafts(node) if not name.startswith(".")]
    assert len(complete) > finished
    node.start()
    for one in node.wait_for("big@example.org", len(complete)):
        assert one.endswith(b"0123456789\nthe end\n")


def test_a_node_that_gives_up_root_reads_what_others_left(make_node: MakeNode, tmp_path: Path) -> None:
    """--uid and --gid: the meeting place belongs to that user, and nobody's draft is readable for it by its group."""
    need_root()
    # What the start as another user needs of Python is the interpreter's matter; here it is the folder's.
    from mailnode.originator.maildrop import opened, waiting
    from mailnode.originator.place import Place
    from mailnode.service.meeting import open_to

    place = Place(tmp_path / "data")
    place.data.mkdir(mode=0o700)
    os.chown(place.data, 4321, 4321)
    _open_to_all(tmp_path)
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setresgid(4321, 4321, 4321)
        os.setresuid(4321, 4321, 4321)
        open_to(place, everyone=True, origin="example.org")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    text = f"from mailnode.originate import send; send(b'To: a@b.example\\nFrom: c@d.example\\n\\nx', data={str(place.data)!r})"
    subprocess.run([sys.executable, "-c", AS_NOBODY + text], timeout=60, check=True, cwd="/")
    [name] = waiting(place.maildrop, 10)
    about = (place.maildrop / name).stat()
    assert (about.st_uid, about.st_gid, about.st_mode & 0o777) == (NOBODY, 4321, 0o640)
    opened(place.maildrop / name).close()  # imports what it needs, while Python's files can be read
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setresgid(4321, 4321, 4321)
        os.setresuid(4321, 4321, 4321)
        dropped = opened(place.maildrop / name)
        (place.maildrop / name).rename(place.data / "taken" / name)
        os._exit(0 if dropped.user_id == NOBODY else 1)
    assert os.waitpid(child, 0)[1] == 0


# --- against Postfix ----------------------------------------------------------------------------------------------

CODES: list[tuple[list[str], int, int]] = [
    (["ann@example.org"], 0, 0),
    (["-t"], 0, 0),
    (["-i", "ann@example.org"], 0, 0),
    (["-bm", "-oi", "-f", "x@example.org", "ann@example.org"], 0, 0),
    (["-B8BITMIME", "ann@example.org"], 0, 0),
    (["-Nsuccess,delay", "ann@example.org"], 0, 0),
    (["-Nodd", "ann@example.org"], 0, 0),
    (["-Rhdrs", "ann@example.org"], 0, 0),
    (["-Rodd", "ann@example.org"], 0, 0),
    (["-V", "id", "ann@example.org"], 0, 0),
    (["-oem", "ann@example.org"], 0, 0),
    (["-O", "DeliveryMode=b", "ann@example.org"], 0, 0),
    (["-Am", "ann@example.org"], 0, 0),
    (["-h", "3", "ann@example.org"], 0, 0),
    (["-v", "ann@example.org"], 0, 0),
    (["-U", "-m", "-G", "ann@example.org"], 0, 0),
    (["-L", "x", "ann@example.org"], 0, 0),
    (["-F", "Ann", "-f", "<>", "ann@example.org"], 0, 0),
    (["-e", "m", "ann@example.org"], 0, 0),
    (["--", "ann@example.org"], 0, 0),
    (["ann@example.org, bob@example.org"], 0, 0),
    (["-q5m"], 0, 0),
    (["-bh"], 0, 0),
    (["-bi"], 0, 0),
    (["-I"], 0, 0),
    # What is wrong with a command line is 75 there, and 64 here as in sysexits.h.
    ([], 75, 64),
    (["-f"], 75, 64),
    (["-Z", "ann@example.org"], 75, 64),
    (["-bt"], 75, 64),
    (["-bz"], 75, 64),
    (["-Bodd", "ann@example.org"], 75, 64),
    (["-qSx"], 75, 64),
    # Accepted there, and returned to the sender later.
    (["a@b@c"], 0, 65),
    # Run by the twin without a word: the queue looks after itself.
    (["-qf"], 75, 0),
]
"""Arguments, what Postfix 3.7 exits with, and what the twin does."""


@pytest.mark.parametrize(
    ("arguments", "theirs", "ours"), CODES, ids=[" ".join(words) or "none" for words, _, _ in CODES]
)
def test_exit_codes_are_those_of_postfix(
    twin: Twin, postfix: list[str], arguments: list[str], theirs: int, ours: int
) -> None:
    """Postfix's own sendmail, with a folder of its own and no daemon, says what the table says; so does the twin."""
    peer = subprocess.run([*postfix, *arguments], input=LETTER, capture_output=True, timeout=30, check=False)
    assert (peer.returncode, twin.run(*arguments).returncode) == (theirs, ours), peer.stderr


@pytest.fixture(scope="module")
def postfix(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give the command of Postfix's sendmail with a private configuration; nothing of it is ever started."""
    need_root()
    program("postfix")
    folder = tmp_path_factory.mktemp("postfix")
    for name in ("etc", "queue/maildrop", "queue/public", "queue/pid", "data"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "queue/maildrop", "postfix", "postdrop")
    shutil.chown(folder / "data", "postfix")
    (folder / "etc/master.cf").write_text("")
    (folder / "etc/main.cf").write_text(
        f"compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
        f"myhostname = mx.example.org\nalias_maps =\nalias_database =\n"
    )
    return ["/usr/sbin/sendmail", "-C", str(folder / "etc")]
