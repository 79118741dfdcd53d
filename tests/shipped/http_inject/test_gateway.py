"""Tests of http-inject as a whole, in a node in memory: what is posted, what is answered, what becomes of it."""

import base64
import inspect
import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from mailnode.gateways.loops import mark as marked
from mailnode.roles.gateway_node import NodeOfGateway
from mailnode.shipped import http_inject
from mailnode.shipped.http_inject.gateway import HttpInject
from mailnode.testing.api import MemoryNode
from tests.kit.posting import FREE, TOKEN, TOKENS, Line, node_with, post, request

ANN = "ann@home.example"
MAIL: dict[str, Any] = {
    "from": {"address": "orders@shop.example", "name": "The shop"},
    "to": [{"address": ANN, "name": "Ann Ä."}],
    "subject": "Ihre Bestellung\u2026",
    "text": "Sie ist unterwegs.\n",
}
RAW = b"From: orders@shop.example\nTo: ann@home.example\nSubject: raw\n\n.\nhello\n"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def slow(monkeypatch: pytest.MonkeyPatch) -> "Deferred[None]":
    """Let every submission wait for what is given."""
    wait: Deferred[None] = Deferred()
    submit = NodeOfGateway.submit

    async def slowly(*arguments: Any, **named: Any) -> Any:
        await wait
        return await submit(*arguments, **named)

    monkeypatch.setattr(NodeOfGateway, "submit", slowly)
    return wait


@pytest.fixture
def node(tmp_path: Path) -> MemoryNode:
    """Give a node that takes mail by HTTP."""
    return node_with(tmp_path)


def test_json_becomes_a_message(node: MemoryNode) -> None:
    """With names, thread, files, further fields and a trace field that names HTTP."""
    body = MAIL | {
        "cc": ["bob@home.example"], "bcc": ["eve@home.example"], "html": "<p>unterwegs</p>", "automatic": True,
        "in_reply_to": "<1@shop.example>", "headers": {"List-Id": "orders <orders.shop.example>", "X-Order": "4711"},
        "attachments": [{"name": "rechnung.csv", "content_type": "text/csv", "base64": "YTtiCg=="}],
    }  # fmt: skip
    answer = post(node, body, traceparent=TRACE)
    told = answer.json()
    assert answer.status == 202
    assert told["accepted"] == [ANN, "bob@home.example", "eve@home.example"]
    assert told["refused"] == []
    (mail,), (_,), (hidden,) = (node.mailbox(f"{one}@home.example") for one in ("ann", "bob", "eve"))
    assert str(mail["From"]) == "The shop <orders@shop.example>"
    assert mail["To"].addresses[0].display_name == "Ann Ä."
    assert (str(mail["Cc"]), mail["Bcc"], hidden["Bcc"]) == ("bob@home.example", None, None)
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Ihre Bestellung\u2026", "auto-generated")
    assert (mail["In-Reply-To"], mail["X-Order"]) == ("<1@shop.example>", "4711")
    assert mail["Message-ID"] == told["message_id"]
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("rechnung.csv", "a;b\n")
    assert f"with HTTP id {told['queue_id']}" in " ".join(str(mail["Received"]).split())
    assert mail["Traceparent"] == TRACE


def test_a_raw_message_stays_as_it_is(node: MemoryNode) -> None:
    """But for its line ends, and Date and Message-ID where they are missing; the envelope is in the query or the header."""
    answer = post(
        node, RAW, path="/messages?from=orders@shop.example&to=ann@home.example&to=bob@home.example",
        Content_Type="message/rfc822",
    )  # fmt: skip
    assert answer.status == 202
    (mail,) = node.mailbox(ANN)
    assert mail.get_content().splitlines() == [".", "hello"]
    assert mail["Date"]
    assert mail["Message-ID"] == answer.json()["message_id"]
    assert len(node.mailbox("bob@home.example")) == 1
    named = post(
        node,
        RAW,
        Content_Type="message/rfc822",
        X_Mailnode_From="<>",
        X_Mailnode_To="ann@home.example, bob@home.example",
    )
    assert named.status == 202
    assert len(node.mailbox(ANN)) == 2


def test_the_same_key_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answer again; another request with it is told so; another client's key is another key."""
    monkeypatch.setattr("mailnode.shipped.http_inject.gateway.LOOK_EVERY", 86400.0)
    node = node_with(tmp_path)
    first = post(node, MAIL, Idempotency_Key='"order-1"')
    again = post(node, MAIL, Idempotency_Key="order-1")
    assert (first.status, first.body) == (again.status, again.body)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(node.mailbox(ANN)) == 1
    assert post(node, MAIL | {"text": "other"}, Idempotency_Key="order-1").problem() == "key-reused"
    assert post(node, MAIL, Idempotency_Key="order-1", token=FREE).status == 202
    node.advance("8d")
    assert post(node, MAIL, Idempotency_Key="order-1").status == 202
    assert len(node.mailbox(ANN)) == 3


def test_a_refusal_is_not_kept_under_its_key(node: MemoryNode) -> None:
    """What was wrong may be mended and sent again with it."""
    assert post(node, MAIL | {"to": ["x"]}, Idempotency_Key="k").status == 422
    assert post(node, MAIL, Idempotency_Key="k").status == 202


def test_a_key_under_way_is_told(node: MemoryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request does not wait for the first; the first is answered when it is done."""
    wait = slow(monkeypatch)
    line = Line(node)
    line.send(request(MAIL, Idempotency_Key="k"))
    second = post(node, MAIL, Idempotency_Key="k")
    assert (second.problem(), second.headers["retry-after"]) == ("under-way", "1")
    wait.callback(None)
    assert line.heard()[0].status == 202


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "\xe4"])
def test_who_has_no_token_is_turned_away(node: MemoryNode, token: str) -> None:
    """Before the body is read; how is told by RFC 6750."""
    answer = post(node, MAIL, token=token)
    assert (answer.status, answer.problem()) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert post(node, token=token).status == 401
    assert not node.mailbox(ANN)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"from": "eve@evil.example"}, "eve@evil.example"),
        ({"to": ["eve@evil.example"]}, "eve@evil.example"),
        ({"bcc": ["eve@other.example"]}, "eve@other.example"),
    ],
)
def test_a_token_allows_what_its_line_says(node: MemoryNode, change: dict[str, Any], where: str) -> None:
    """Senders and recipients of others are not taken, not even among others."""
    answer = post(node, MAIL | change)
    assert (answer.status, answer.problem()) == (403, "not-allowed")
    assert where in answer.json()["detail"]


def test_a_raw_message_cannot_claim_another_author(node: MemoryNode) -> None:
    """From and Sender count as the envelope does."""
    where = "/messages?from=orders@shop.example&to=ann@home.example"
    for field in (b"From: eve@evil.example", b"From: a@shop.example\nSender: eve@evil.example"):
        answer = post(node, field + b"\n\nhello\n", path=where, Content_Type="message/rfc822")
        assert answer.problem() == "not-allowed"


def test_each_refused_recipient_is_told(tmp_path: Path) -> None:
    """With its reply; when all are refused, that is a problem and tells of each as well."""
    node = node_with(
        tmp_path, config='[[domain]]\nname = "home.example"\naccounts = "known"\naliases = {ann = ["ann@out.example"]}'
    )
    some = post(node, MAIL | {"to": [ANN, "nobody@home.example"]}, Idempotency_Key="k")
    assert some.status == 202
    assert some.json()["accepted"] == [ANN]
    (refused,) = some.json()["refused"]
    assert (refused["address"], refused["code"]) == ("nobody@home.example", 550)
    assert refused["enhanced_status"].startswith("5.1.")
    assert post(node, MAIL | {"to": [ANN, "nobody@home.example"]}, Idempotency_Key="k").body == some.body
    none = post(node, MAIL | {"to": ["nobody@home.example", "no@home.example"]})
    assert (none.status, none.problem()) == (422, "refused")
    assert [one["address"] for one in none.json()["refused"]] == ["nobody@home.example", "no@home.example"]
    assert none.json()["reply"]["code"] == 550


def test_other_domains_only_where_the_source_may_relay(tmp_path: Path) -> None:
    """As for every gateway."""
    body = MAIL | {"to": ["x@far.example"]}
    assert post(node_with(tmp_path), body, token=FREE).status in (403, 422)
    relaying = node_with(tmp_path, config="[gateway.post.source]\nrelay = true")
    assert post(relaying, body, token=FREE).status == 202
    assert len(relaying.sent()) == 1


def test_rates_are_told_with_the_time_to_wait(node: MemoryNode) -> None:
    """A token's own rate, and the rate of a sender to one recipient; both pass."""
    body = MAIL | {"from": "x@y.example"}
    answers = [post(node, body | {"to": [f"u{n}@home.example"]}, token=FREE) for n in range(61)]
    assert {one.status for one in answers[:60]} == {202}
    assert (answers[60].problem(), int(answers[60].headers["retry-after"]) > 0) == ("too-many", True)
    node.advance("1m")
    assert post(node, body, token=FREE).status == 202
    many = [post(node, MAIL) for _ in range(40)]
    assert (many[0].status, many[-1].problem(), many[-1].headers["retry-after"]) == (202, "too-many", "60")
    assert many[-1].json()["reply"]["enhanced_status"] == "4.7.28"


def test_trouble_of_the_node_is_not_the_clients(node: MemoryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug or a full disk is 503, never a refusal for good."""

    async def broken(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(NodeOfGateway, "submit", broken)
    answer = post(node, MAIL)
    assert (answer.status, answer.problem(), answer.headers["retry-after"]) == (503, "unavailable", "60")
    assert b"device" not in answer.body


def test_health_and_description(node: MemoryNode) -> None:
    """Both need no token; unknown paths and methods are told."""
    assert post(node, method="GET", path="/healthz", token="").json() == {"status": "ok"}
    assert post(node, method="GET", path="/openapi.json", token="").json()["openapi"] == "3.1.0"
    assert post(node, method="GET", path="/", token="").problem() == "not-found"
    wrong = post(node, method="DELETE", path="/messages")
    assert (wrong.problem(), wrong.headers["allow"]) == ("wrong-method", "POST")
    assert "access-control-allow-origin" not in post(node, method="OPTIONS", Origin="http://evil.example").headers


def test_tokens_change_without_a_restart(node: MemoryNode, tmp_path: Path) -> None:
    """What is taken out counts no more; a file that is wrong changes nothing."""
    file = tmp_path / "tokens"
    file.write_text("shop nonsense")
    node.advance("6s")
    assert post(node, MAIL).status == 202
    file.write_text(TOKENS.replace(TOKEN, "another-t0ken-of-the-shop-1"))
    os.utime(file, (1, 1))
    node.advance("6s")
    assert post(node, MAIL).status == 401
    file.unlink()
    node.advance("6s")
    assert post(node, MAIL, token=FREE).status == 202


def test_a_proxy_tells_of_tls(tmp_path: Path) -> None:
    """Its word counts only where the configuration says that there is one."""
    for proxied, protocol in ((False, "with HTTP id"), (True, "with HTTPS id")):
        node = node_with(tmp_path, proxied=proxied)
        assert post(node, MAIL, X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9").status == 202
        assert protocol in " ".join(str(node.mailbox(ANN)[0]["Received"]).split())


def test_a_mark_is_carried_on_until_it_is_a_loop(node: MemoryNode) -> None:
    """What a webhook was given comes back; the count goes on."""
    post(node, MAIL)
    (mail,) = node.mailbox(ANN)
    assert "; 0." in str(mail["X-Mailnode-Gateway-Hop"])
    post(node, MAIL, X_Mailnode_Mark=marked(3, node.gateway("post").node.signer))  # type: ignore[attr-defined]
    assert "; 3." in str(node.mailbox(ANN)[1]["X-Mailnode-Gateway-Hop"])


@pytest.mark.parametrize(
    "settings", [{"endpoint": "8080"}, {"max_size": 0}, {"max_connections": 0}, {"max_connections_per_address": 0}]
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start."""
    with pytest.raises(ValueError, match="expected"):
        HttpInject(tokens="/x", **settings)


def test_a_missing_file_of_tokens_is_looked_for_again(tmp_path: Path) -> None:
    """The node goes on, and the gateway opens once the file is there."""
    file = tmp_path / "tokens"
    node = MemoryNode({"post": HttpInject(tokens=str(file))})
    assert not node.clock.tcpServers
    file.write_text(TOKENS)
    node.advance("1m")
    assert post(node, MAIL).status == 202


def test_what_is_under_way_is_answered_before_the_end(node: MemoryNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping waits for it; nobody new is let in."""
    wait = slow(monkeypatch)
    line, idle = Line(node), Line(node)
    line.send(request(MAIL))
    stopping = Deferred.fromCoroutine(node.station.close_sources())
    assert not stopping.called
    assert Line(node).protocol is None
    wait.callback(None)
    assert line.heard()[0].status == 202
    assert not line.is_open
    assert not idle.is_open


def test_a_large_file_comes_whole(node: MemoryNode) -> None:
    """It is read and written aside, not on the thread that serves all."""
    octets = bytes(range(256)) * 2000
    file = {"name": "a.bin", "base64": base64.b64encode(octets).decode()}
    assert post(node, MAIL | {"attachments": [file]}).status == 202
    (found,) = node.mailbox(ANN)[0].iter_attachments()
    assert found.get_content() == octets


def test_the_configuration_in_the_manual_works(tmp_path: Path) -> None:
    """The example of the package's docstring, with another file of tokens."""
    (tmp_path / "tokens").write_text(TOKENS)
    example = (http_inject.__doc__ or "").partition("::\n")[2].partition("\nThe file of tokens")[0]
    node = MemoryNode(config=inspect.cleandoc(example).replace("/etc/mailnode/post.tokens", str(tmp_path / "tokens")))
    assert post(node, MAIL | {"to": ["x@a.other.example"]}).status == 202
