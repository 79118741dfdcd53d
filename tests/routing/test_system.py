"""The system's files about names."""

from pathlib import Path

import pytest

from mailnode.routing.system import DEFAULT_SERVER, LOCALHOST, NameServer, parse_server, read_hosts, read_servers


@pytest.mark.parametrize(
    ("text", "server", "written"),
    [
        ("127.0.0.1", NameServer("127.0.0.1"), "127.0.0.1:53"),
        ("127.0.0.1:5353", NameServer("127.0.0.1", 5353), "127.0.0.1:5353"),
        ("::1", NameServer("::1"), "[::1]:53"),
        ("[::1]:5353", NameServer("::1", 5353), "[::1]:5353"),
        ("[::1]", NameServer("::1"), "[::1]:53"),
    ],
)
def test_servers_of_the_settings(text: str, server: NameServer, written: str) -> None:
    """Each form is read and written back in full."""
    assert parse_server(text) == server
    assert str(server) == written
    assert server.is_loopback


@pytest.mark.parametrize(
    "text", ["", "dns.example", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "[::1]x", "[::1", "fe80::1%lo"]
)
def test_what_is_no_server(text: str) -> None:
    """Names and junk are refused with a sentence."""
    with pytest.raises(ValueError, match="expected a DNS server"):
        parse_server(text)


def test_resolv_conf(tmp_path: Path) -> None:
    """Only nameserver lines with plain addresses count; without any the local host is asked."""
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# a\nsearch example.org\nnameserver 192.0.2.1 # x\nnameserver fe80::1%eth0\nnameserver\nnameserver ::1\n"
    )
    assert read_servers(str(file)) == (NameServer("192.0.2.1"), NameServer("::1"))
    assert read_servers(str(tmp_path / "none")) == (DEFAULT_SERVER,)


def test_hosts(tmp_path: Path) -> None:
    """Names are folded, IPv6 comes first, junk is passed over, localhost is always known."""
    file = tmp_path / "hosts"
    file.write_text(
        "192.0.2.1 Mail.Example.org mail # x\n2001:db8::1 mail.example.org\nnonsense here\n192.0.2.1 mail\n\n"
    )
    hosts = read_hosts(str(file))
    assert hosts["mail.example.org"] == ("2001:db8::1", "192.0.2.1")
    assert hosts["mail"] == ("192.0.2.1",)
    assert hosts["localhost"] == LOCALHOST
    assert "here" not in hosts
    assert set(read_hosts("")) == {"localhost"}
