"""Tests of what the package's page says: its configuration is one."""

import mailnode.shipped.xmpp as page
from mailnode.service.config import parse
from mailnode.service.gateways import faults
from mailnode.testing.api import MemoryNode
from tests.kit.xmpp_server import XmppServer

KIND = 'kind = "mailnode.shipped.xmpp.gateway:Xmpp"'


def config() -> str:
    """Take the configuration out of the page."""
    lines = str(page.__doc__).splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    ")).replace('kind = "xmpp"', KIND)


def test_the_page_is_true() -> None:
    """Its example carries mail."""
    node = MemoryNode(config=config())
    server = XmppServer(node.clock).accept()
    node.send("ann@home.example", "bob.chat.example@xmpp.example.org")
    assert server.messages()[0]["to"] == "bob@chat.example"


def test_what_the_page_leaves_out_has_its_bounds() -> None:
    """Faults have their path, also those of settings that belong together."""
    wrong = (
        config().replace('# attachments = "drop" ', 'attachments = "link" ').replace('"tcp:127.0.0.1:5347"', '"here"')
    )
    found = [str(one) for one in faults(parse(wrong, source="x", thorough=False))]
    assert found
    assert "expected an endpoint" in " ".join(found) or "files_folder" in " ".join(found)
