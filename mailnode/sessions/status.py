"""The answer to HELP STATUS: how the session stands (211, RFC 5321 section 4.3.2).

It tells the peer nothing but what was said and done in its own session.
"""

from mailnode.mail.message import Peer
from mailnode.mail.reply import Reply, Status

_SUCCESS = Status(2, 0, 0)


def status_reply(hostname: str, peer: Peer, *, accepted: int, has_transaction: bool, recipients: int) -> Reply:
    """Describe the session; ``recipients`` are those accepted in the open transaction."""
    named = f" and called yourself {peer.hello}" if peer.hello else ""
    account = f", as {peer.account}" if peer.account else ""
    transaction = f"A mail transaction is open, recipients: {recipients}" if has_transaction else "No mail transaction"
    lines = (
        f"{hostname} speaks {'LMTP' if peer.service == 'lmtp' else 'SMTP'} with you",
        f"You come from {peer.address or 'this host'}{named}{account}",
        f"Encryption: {peer.tls or 'none'}",
        f"Messages taken in this session: {accepted}",
        transaction,
    )
    return Reply(211, lines, _SUCCESS)
