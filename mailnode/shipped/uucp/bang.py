"""Bang paths and addresses (RFC 976 section 2): ``host1!host2!user`` is the way through host1 and host2 to user.

``mailbox_of`` and ``path_of`` are one-to-one on what either can give:

* ``example.org!ann`` and ``host!ann`` are ``ann@example.org`` and ``ann@host``;
* a longer way goes on in the local part with ``%``: ``host1!host2!ann`` is ``ann%host2@host1``; the first host is the domain,
  for it is where the message goes next.

What would be ambiguous has no form: a user that holds ``!`` or ``%`` or ``@`` in a path, a host that is no name.
"""

import re
from collections.abc import Sequence

from mailnode.mail.address import Mailbox, parse_mailbox

MOST_HOSTS = 20
LONGEST = 500
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9._+=#$&'*/?^`{|}~-]+", re.ASCII)


def split(path: str) -> tuple[Sequence[str], str]:
    """Take a bang path apart: its hosts, and the user; ValueError for what is none."""
    *hosts, user = path.split("!")
    if len(path) > LONGEST or len(hosts) > MOST_HOSTS:
        raise ValueError("the bang path is too long")
    if not user or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError(f"{path!r} is no bang path")
    return hosts, user


def mailbox_of(path: str) -> Mailbox:
    """Read a bang path, or an address, as a mailbox; ValueError for what is neither.

    In a mixture such as ``host!ann@example.org`` the bang counts first, as RFC 976 section 2 says: it is
    ``ann%example.org@host``.
    """
    if "!" not in path:
        return parse_mailbox(path)
    hosts, user = split(path)
    if "@" in user:
        inner = parse_mailbox(user)
        hosts, user = [*hosts, inner.domain], inner.local_part
    if not _USER.fullmatch(user):
        raise ValueError(f"{path!r} ends in what is no user")
    first, *rest = hosts
    return parse_mailbox("%".join([user, *reversed(rest)]) + f"@{first}")


def path_of(mailbox: Mailbox) -> str:
    """Write a mailbox as a bang path; ValueError for one that no path can hold."""
    user, *through = mailbox.local_part.split("%")
    hosts = [mailbox.domain, *reversed(through)]
    if not _USER.fullmatch(user) or not all(_HOST.fullmatch(host) for host in hosts) or len(hosts) > MOST_HOSTS:
        raise ValueError(f"<{mailbox}> cannot be written as a bang path")
    return "!".join([*hosts, user])


def collapsed(hosts: Sequence[str], user: str) -> Mailbox:
    """Make the mailbox of a sender out of the way it came: what lies behind the last host with a full name is that host's.

    ``gate!mx.example.org!ann`` is ``ann@mx.example.org``: a name that the world knows needs no way through our neighbours.
    """
    if "@" in user:
        return parse_mailbox(user)
    known = [place for place, host in enumerate(hosts) if "." in host]
    start = known[-1] if known else 0
    return mailbox_of("!".join([*hosts[start:], user]))
