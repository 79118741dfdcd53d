"""Mail that waits for its owner: fetchmail and a second node call for it, or have the queue started."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.client import Client, send
from tests.kit.contents import assert_carried, below_trace, digest, letter
from tests.kit.node import Node, settings
from tests.kit.ports import free_port, greets
from tests.kit.programs import program
from tests.kit.waiting import until
from tests.scenarios.conftest import MakeNode

pytestmark = pytest.mark.scenario

SECRET = "open sesame"

PROVIDER = """
[[listener]]
name = "odmr"
service = "odmr"
endpoint = "tcp:{port:odmr}:interface=127.0.0.1"

[[domain]]
name = "branch.example"
courier = "odmr"
accounts = "any"

[[domain]]
name = "other.example"
courier = "odmr"
accounts = "any"

[[customer]]
account = "branch"
domains = ["branch.example"]
password_file = "{data}.secret"

[[customer]]
account = "other"
domains = ["other.example"]
password_file = "{data}.secret"

[etrn]
every = "1s"
domains = ["late.example"]
"""


def provider_settings(more: str = "") -> str:
    """Write a provider's configuration."""
    return settings(hostname="provider.example", more=PROVIDER + more)


@pytest.fixture(name="provider")
def _provider(tmp_path: Path, make_node: MakeNode) -> Node:
    """Run a provider."""
    (tmp_path / "provider").mkdir()
    (tmp_path / "provider" / "data.secret").write_text(f"{SECRET}\n")
    (tmp_path / "provider" / "data.secret").chmod(0o600)
    return make_node(provider_settings(), "provider")


def fetchmail(folder: Path, words: str) -> subprocess.CompletedProcess[bytes]:
    """Run fetchmail with one line of configuration."""
    rc = folder / "fetchmailrc"
    rc.write_text(f"set postmaster root\n{words}\n")
    rc.chmod(0o600)
    return subprocess.run(
        [program("fetchmail"), "-v", "-f", str(rc), "--nosyslog", "--pidfile", str(folder / "fetchmail.pid")],
        capture_output=True, timeout=60, check=False, env={**os.environ, "HOME": str(folder), "FETCHMAILHOME": str(folder)},
    )  # fmt: skip


def call(folder: Path, provider: Node, customer: Node, user: str = "branch", domains: str = "branch.example") -> bytes:
    """Let fetchmail call for the mail; gives what it says."""
    done = fetchmail(
        folder,
        f"poll 127.0.0.1 proto ODMR service {provider.port('odmr')} auth cram-md5 user {user} password '{SECRET}' sslproto '' "
        f"fetchdomains {domains} smtphost 127.0.0.1/{customer.port()}",
    )
    return done.stdout + done.stderr


def waiting(node: Node) -> int:
    """Count the recipients that wait."""
    return node.command("queue", "list", "--json").count('"courier"')


def test_fetchmail_takes_its_domains_mail(tmp_path: Path, provider: Node, make_node: MakeNode) -> None:
    """It authenticates, says ATRN, and hands our session on to its own server, which gets all that waited."""
    customer = make_node(settings(hostname="customer.example", domains={"branch.example": "any"}), "customer")
    letters = [letter(3000 + 100_000 * number, seed=number) for number in range(3)]
    for number, sent in enumerate(letters):
        to = ["ann@branch.example", f"bob{number}@branch.example"]
        assert send(provider.port(), "carl@example.org", to, sent).code == 250
    assert send(provider.port(), "carl@example.org", ["dora@other.example"], letters[0]).code == 250
    said = call(tmp_path, provider, customer)
    arrived = customer.wait_for("ann@branch.example", 3)
    for sent, message in zip(letters, arrived, strict=True):
        assert_carried(message, sent)
    customer.wait_for("bob2@branch.example")
    until(lambda: waiting(provider) == 1, 10, lambda: f"{said.decode()}\n{provider.log()[-3000:]}")
    assert b"You have no mail" in call(tmp_path, provider, customer)
    assert b"refused" in call(tmp_path, provider, customer, domains="other.example")
    assert "Traceback" not in provider.log()
    assert not provider.names("carl@example.org")


def test_fetchmail_starts_the_queue(tmp_path: Path, make_node: MakeNode) -> None:
    """Mail that could not go out goes as soon as its host is there and asks for it."""
    port = free_port()
    more = f'\n[[route]]\nmatch = "late.example"\nnext_hop = "[127.0.0.1]:{port}"\n[etrn]\nevery = "1s"\n'
    provider = make_node(settings(hostname="provider.example", more=more), "provider")
    assert send(provider.port(), "carl@example.org", ["ann@late.example"], letter(2000)).code == 250
    until(lambda: "delayed" in provider.log(), 10, "it was not tried")
    text = settings(hostname="late.example", domains={"late.example": "any"}).replace("{port:mx}", str(port))
    late = make_node(text, "late")
    until(lambda: greets(port), 20, "its host does not come up")
    words = (
        f"poll 127.0.0.1 proto ETRN service {provider.port()} user x password x fetchdomains late.example sslproto ''"
    )
    done = fetchmail(tmp_path, words)
    assert b"Pending messages for late.example started" in done.stdout, done
    late.wait_for("ann@late.example")
    with Client(provider.port()) as client:
        client.greet()
        assert client.say("ETRN late.example").code in (251, 458)
        assert client.say("ETRN nowhere.example").code == 251
        assert client.say("ETRN @").code == 501
        assert client.say("ETRN").code == 501
        client.begin("a@a.example", [])
        assert client.say("ETRN late.example").code == 503


FETCH = """
[[fetch]]
name = "isp"
host = "127.0.0.1"
port = {provider}
username = "branch"
password_file = "{secret}"
tls = "may"
interval = "{interval}"
"""


def make_customer(make_node: MakeNode, provider: Node, interval: str = "0s", more: str = "") -> Node:
    """Run a node that calls the provider."""
    fetch = FETCH.replace("{provider}", str(provider.port("odmr"))).replace("{interval}", interval)
    text = fetch.replace("{secret}", str(provider.folder / "data.secret"))
    domains = {"branch.example": "any"}
    return make_node(settings(hostname="customer.example", domains=domains, more=text + more), "customer")


def test_one_node_calls_another(provider: Node, make_node: MakeNode) -> None:
    """The customer takes what waits when it is told to; what it does not want goes back to its sender."""
    customer = make_customer(make_node, provider)
    letters = [letter(3000 + 200_000 * number, seed=number) for number in range(3)]
    for sent in letters:
        assert send(provider.port(), "carl@example.org", ["ann@branch.example"], sent).code == 250
    assert "3 message(s)" in customer.command("fetch", "isp")
    arrived = customer.wait_for("ann@branch.example", 3)
    for sent, message in zip(letters, arrived, strict=True):
        assert_carried(message, sent)
    assert "no mail waits" in customer.command("fetch")
    assert waiting(provider) == 0
    customer.command("fetch", "nobody", check=False)
    for node in (provider, customer):
        assert "Traceback" not in node.log()


def test_the_turn_within_tls(provider: Node, make_node: MakeNode) -> None:
    """STARTTLS comes before AUTH, and the connection that is turned around stays encrypted."""
    text = provider.configuration.read_text()
    provider.configure(text.replace('service = "odmr"', 'service = "odmr"\ntls = "starttls"'))
    provider.restart()
    customer = make_customer(make_node, provider)
    customer.configure(customer.configuration.read_text().replace('tls = "may"', 'tls = "encrypt"'))
    customer.restart()
    sent = letter(300_000, seed=5)
    assert send(provider.port(), "carl@example.org", ["ann@branch.example"], sent).code == 250
    assert "1 message(s)" in customer.command("fetch")
    assert_carried(customer.wait_for("ann@branch.example")[0], sent)
    for node in (provider, customer):
        assert "Traceback" not in node.log()


def test_a_provider_is_nobodys_client(provider: Node, make_node: MakeNode) -> None:
    """Even at a trusted address it may bring mail for our own domains only; the rest goes back to its sender."""
    customer = make_customer(make_node, provider)
    customer.configure(customer.configuration.read_text().replace("branch.example", "elsewhere.example"))
    customer.restart()
    assert send(provider.port(), "carl@example.org", ["ann@branch.example"], letter(2000)).code == 250
    customer.command("fetch")
    (report,) = provider.wait_for("carl@example.org")
    assert b"5.7.1" in report


def test_a_provider_that_dies_in_the_middle_loses_nothing(provider: Node, make_node: MakeNode) -> None:
    """Killed and started again, it sends the rest with the next call, which the customer makes by itself."""
    letters = [letter(400_000, seed=number) for number in range(12)]
    for sent in letters:
        assert send(provider.port(), "carl@example.org", ["ann@branch.example"], sent).code == 250
    customer = make_customer(make_node, provider, "1s")
    until(lambda: len(customer.names("ann@branch.example")) >= 2, 20, "nothing comes")
    provider.kill()
    before = len(customer.names("ann@branch.example"))
    provider.start()
    until(lambda: waiting(provider) == 0, 30, lambda: provider.log()[-3000:])
    arrived = {digest(below_trace(below_trace(message))) for message in customer.messages("ann@branch.example")}
    assert before < len(letters)
    assert len(arrived) == len(letters)


def test_etrn_by_the_node(provider: Node, make_node: MakeNode) -> None:
    """A customer with an address of its own has the provider's queue started."""
    text = (
        FETCH.replace("{provider}", str(provider.port())).replace("{interval}", "0s").replace('username = "branch"', "")
    )
    text = text.replace('password_file = "{secret}"', 'method = "etrn"\ndomains = ["late.example", "@branch.example"]')
    customer = make_node(settings(hostname="customer.example", more=text), "customer")
    assert "OK, no messages waiting for node late.example" in customer.command("fetch")


def test_who_may_do_what(provider: Node) -> None:
    """Strangers start no queue but that of open domains; nobody takes mail without a password, and TURN is refused."""
    with Client(provider.port("odmr")) as client:
        assert "ATRN" in client.greet().text
        assert client.say("ATRN").code == 530
        assert client.say("ATRN branch.example").status == "5.7.0"
        assert client.say("MAIL FROM:<a@a.example>").code == 530
        assert client.say("ETRN branch.example").code == 502
        assert client.say("TURN").code == 502
        assert client.say("AUTH PLAIN AGJyYW5jaABvcGVuIHNlc2FtZQ==").code in (538, 504)
    with Client(provider.port()) as client:
        assert "ATRN" not in client.greet().text
        assert client.say("ATRN").code == 502
