"""``mailnode-sendmail`` and ``mailnode sendmail``: the twin of sendmail(1), for cron, mail(1), PHP and whatever else calls it.

It may be linked as ``sendmail``, ``mailq`` and ``newaliases``; the name it is called by counts, as ever. It needs no rights:
mail goes to the submit socket of the node that runs, or into its maildrop where none does (``mailnode.originator``).

Exit codes are those of sysexits.h. Where Postfix's sendmail knows only 75 for whatever is wrong with a command line, 64 is said.
The message is refused at once where a server would refuse it at once: 67 for nobody of that name, 69 for another reason.
"""

import os
import pwd
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from mailnode.console.sendmail_options import Options, WrongUsage, read
from mailnode.originator.draft import Draft, listed, recipients_in
from mailnode.originator.handing import hand_over
from mailnode.originator.lines import crlf, until_dot
from mailnode.originator.place import Place
from mailnode.originator.receipt import TEMPORARY, UNAVAILABLE, USAGE, BadDraft, NotSent
from mailnode.service.whereabouts import Unreadable, data_folder

IN_MEMORY = 1 << 20
"""Octets of a message that are kept in memory; a larger one goes through a temporary file."""
BLOCK = 1 << 16
CONFIGURATION = 78


def main(arguments: Sequence[str] | None = None, called: str | None = None) -> None:
    """Run as sendmail, mailq or newaliases, by the name of the program."""
    name = Path(sys.argv[0]).name if called is None else called
    sys.exit(run(name, sys.argv[1:] if arguments is None else arguments))


def run(called: str, arguments: Sequence[str]) -> int:
    """Do what is asked; give the exit code."""
    try:
        options = read(called, arguments)
        for warning in options.warnings:
            _say(f"warning: {warning}")
        return _MODES[options.mode](options)
    except WrongUsage as wrong:
        _say(str(wrong))
        return wrong.code
    except NotSent as trouble:
        _say(str(trouble))
        return trouble.code
    except Unreadable as trouble:
        _say(str(trouble))
        return CONFIGURATION
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        _say(str(error))
        return TEMPORARY


def _say(text: str) -> None:
    print(f"sendmail: {text}", file=sys.stderr)


# --- sending ----------------------------------------------------------------------------------------------------


def _send(options: Options) -> int:
    """Read a message from standard input and hand it over."""
    recipients = listed(options.recipients)
    if not recipients and not options.from_header:
        raise BadDraft("name recipients on the command line, or say -t", code=USAGE)
    place = Place(data_folder(options.configuration))
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as content:
        file = cast("BinaryIO", content)
        _copy(sys.stdin.buffer, file, ignore_dot=options.ignore_dot)
        if options.from_header:
            recipients += recipients_in(file)
            if not recipients:
                raise BadDraft("there are no recipients in the header", code=USAGE)
        receipt = hand_over(place, _draft(options, recipients, file))
    for refused in receipt.refused:
        _say(str(refused))
    if options.is_verbose:
        print(f"queued as {receipt.queue_id}" if receipt.queue_id else f"kept as {receipt.kept_as}")
    return max((refused.code for refused in receipt.refused), default=0)


def _draft(options: Options, recipients: tuple[str, ...], content: BinaryIO) -> Draft:
    user = _user()
    sender = user.pw_name if options.sender is None else _only(options.sender)
    full_name = options.full_name or os.environ.get("NAME", "") or (_gecos(user) if options.sender is None else "")
    return Draft(sender, recipients, content, options.notify, options.returns, options.envelope_id, full_name)


def _only(written: str) -> str:
    """Read the address of -f; empty for the null reverse-path."""
    if written.strip() in ("", "<>"):
        return ""
    found = listed([written])
    if len(found) != 1:
        raise BadDraft(f"-f {written!r} is not one address")
    return found[0]


def _user() -> pwd.struct_passwd:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        return pwd.struct_passwd((f"uid-{uid}", "", uid, os.getgid(), "", "/", ""))


def _gecos(user: pwd.struct_passwd) -> str:
    """Take the full name out of the comment field, where ``&`` stands for the login name."""
    return user.pw_gecos.partition(",")[0].replace("&", user.pw_name.capitalize())


def _copy(source: BinaryIO, target: BinaryIO, *, ignore_dot: bool) -> None:
    lines = crlf(_blocks(source))
    target.writelines(lines if ignore_dot else until_dot(lines))


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    descriptor = source.fileno()
    while block := os.read(descriptor, BLOCK):
        yield block


# --- everything else --------------------------------------------------------------------------------------------


def _speak(options: Options) -> int:
    """Be an SMTP server on standard input and output (-bs)."""
    from mailnode.console.sendmail_session import speak  # noqa: PLC0415 - who sends a message does not wait for it

    return speak(Place(data_folder(options.configuration)), _user().pw_name)


def _list(options: Options) -> int:
    """Show the queue in mailq's form (-bp)."""
    from mailnode.console.mailq import show  # noqa: PLC0415 - see above

    return show(options.configuration)


def _run_queue(options: Options) -> int:
    """Try what waits now (-q)."""
    from mailnode.console.mailq import retry  # noqa: PLC0415 - see above

    return retry(options.configuration, queue_id=options.queue_id, domain=options.site)


def _nothing(_options: Options) -> int:
    """Do nothing, gladly: there is no alias database to make, and the queue runs by itself."""
    return 0


def _not_a_daemon(_options: Options) -> int:
    _say("the node is started with: twistd mailnode --config FILE")
    return UNAVAILABLE


def _verify(_options: Options) -> int:
    _say("-bv is not supported; try: mailnode explain ADDRESS")
    return UNAVAILABLE


_MODES: Mapping[str, Callable[[Options], int]] = {
    "m": _send,
    "s": _speak,
    "p": _list,
    "q": _run_queue,
    "i": _nothing,
    "n": _nothing,
    "h": _nothing,
    "H": _nothing,
    "d": _not_a_daemon,
    "l": _not_a_daemon,
    "v": _verify,
}
