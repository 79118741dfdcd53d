"""VRFY and EXPN are answered for who may ask, and tell others neither yes nor no."""

from pathlib import Path

import pytest
from attrs import evolve

from mailnode.accounts.memory import MemoryDirectory
from mailnode.mail.address import parse_mailbox
from mailnode.mail.reply import Reply
from mailnode.roles.asking import MOST_SHOWN, Asking
from mailnode.roles.house import ReceptionSettings
from mailnode.routing.router import TableRouter
from mailnode.routing.settings import DomainSettings
from tests.kit.classic import Host
from tests.kit.results import now


def asking(folder: Path, settings: ReceptionSettings | None = None, *, is_trusted: bool = True) -> Asking:
    """Ask foo.example."""
    return Asking(Host(folder, reception=settings).house, is_trusted)


def verify(one: Asking, argument: str) -> Reply:
    """Say VRFY."""
    return now(one.verify(argument))


@pytest.mark.rfc("5321", "3.5.1")
@pytest.mark.parametrize(
    "argument", ["crispin", "Crispin@FOO.example", "<crispin@foo.example>", "M C <crispin>", "crispin+tag"]
)
def test_a_user_is_told_with_the_full_name(tmp_path: Path, argument: str) -> None:
    """By local part or address, with or without brackets, with whatever name before it."""
    assert str(verify(asking(tmp_path), argument)) == "250 2.1.5 Mark Crispin <crispin@foo.example>"


@pytest.mark.rfc("5321", "7.3")
@pytest.mark.parametrize(
    ("setting", "trusted", "stranger"), [("trusted", 250, 252), ("all", 250, 250), ("none", 252, 252)]
)
def test_who_may_ask_is_a_setting(tmp_path: Path, setting: str, trusted: int, stranger: int) -> None:
    """Whoever may not ask hears the same for users, for nobody and for lists."""
    settings = ReceptionSettings(verify=setting, expand=setting)  # type: ignore[arg-type]
    for is_trusted, code in ((True, trusted), (False, stranger)):
        one = asking(tmp_path, settings, is_trusted=is_trusted)
        assert verify(one, "jones").code == code
        assert now(one.expand("example-people")).code == code
        if code == 252:
            assert verify(one, "nobody") == verify(one, "jones")
            assert now(one.expand("nobody")) == now(one.expand("example-people"))


def test_postmaster_is_always_known(tmp_path: Path) -> None:
    """As a bare name, whatever the number of our domains."""
    assert verify(asking(tmp_path), "Postmaster").code == 250


def test_a_stranger_is_not_told_of_others(tmp_path: Path) -> None:
    """Who may ask but not relay hears of an address elsewhere that we do not relay there."""
    one = asking(tmp_path, ReceptionSettings(verify="all"), is_trusted=False)
    assert verify(one, "x@xyz.example").code == 550
    assert verify(asking(tmp_path), "x@xyz.example").code == 252


def test_a_user_of_another_server_cannot_be_known(tmp_path: Path) -> None:
    """Where a domain takes every address for an LMTP server, only that server knows who is there (RFC 5321 7.3)."""
    domain = DomainSettings("foo.example", courier="lmtp", next_hop="[127.0.0.1]:24", accounts="any")
    router = TableRouter(hostname="foo.example", domains=[domain], routes=[], directory=MemoryDirectory())
    one = Asking(evolve(Host(tmp_path).house, router=router), is_trusted=True)
    assert verify(one, "anybody").code == 252


def test_many_possibilities_are_not_all_named(tmp_path: Path) -> None:
    """Ten, and that there are more."""
    domains = [
        DomainSettings(f"d{number}.example", accounts="any", aliases={"all": ("a", "b")}) for number in range(12)
    ]
    router = TableRouter(hostname="foo.example", domains=domains, routes=[], directory=MemoryDirectory())
    one = Asking(evolve(Host(tmp_path).house, router=router), is_trusted=True)
    reply = verify(one, "x")
    assert (reply.code, len(reply.lines), reply.lines[-1]) == (553, MOST_SHOWN + 2, "and more")
    assert now(one.expand("all")).code == 550
    assert now(one.expand("all@d3.example")).lines == ("<a@d3.example>", "<b@d3.example>")


def test_a_list_shows_its_own_mailbox_too(tmp_path: Path) -> None:
    """An address that is among its own members is one of them."""
    domain = DomainSettings("foo.example", aliases={"ann": ("ann", "x@y.example")})
    directory = MemoryDirectory([parse_mailbox("ann@foo.example")])
    router = TableRouter(hostname="foo.example", domains=[domain], routes=[], directory=directory)
    one = Asking(evolve(Host(tmp_path).house, router=router), is_trusted=True)
    assert now(one.expand("ann")).lines == ("<ann@foo.example>", "<x@y.example>")
