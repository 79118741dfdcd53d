"""A node at home.example, as gateways are tried with it: everybody there has a Maildir, and Ann writes."""

from smtplib import SMTP

from tests.kit.node import Node

ANN = "ann@home.example"
HOME = """
[node]
hostname = "mx.home.example"
data = "{data}"

[[listener]]
endpoint = "tcp:{port:mx}:interface=127.0.0.1"

[[domain]]
name = "home.example"
accounts = "any"
"""
"""The configuration, to which a test adds its gateway."""


def send(node: Node, to: str, text: str, **header: str) -> None:
    """Send a message of Ann's by smtplib; names of header fields have ``_`` for ``-``."""
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in header.items())
    with SMTP("127.0.0.1", node.port("mx")) as client:
        client.ehlo()
        client.sendmail(ANN, to, f"From: Ann <{ANN}>\r\n{fields}\r\n{text}\r\n".encode())
