"""Tests of the webhook: against a web server that is told how to fail, and against a real one."""

import hashlib
import hmac
import json
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP, default
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import serverFromString
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from twisted.web.util import redirectTo

from mailnode.gateways.api import Attachment
from mailnode.gateways.http import MOST_BODY, TreqClient
from mailnode.shipped.webhook import Webhook, signature
from mailnode.testing.api import HANG, FakeHttp, HttpResponse, MemoryNode, Request
from tests.kit.pki import Authority

ANN = "ann@home.example"
HOOK = "alerts@hook.example"


def node_with(web: FakeHttp, **settings: Any) -> MemoryNode:
    """Make a node with a webhook."""
    return MemoryNode(Webhook(url="https://example.net/in", **settings), domain="hook.example", http=web)


def posted(**settings: Any) -> Request:
    """Send a mail with a file through a webhook and give the request."""
    web = FakeHttp()
    node = node_with(web, **settings)
    file = Attachment('a "b".txt', "text/plain", b"inside")
    node.send(ANN, HOOK, "more@hook.example", text="Grüße", subject="Platte voll\u2026", files=[file])
    (request,) = web.requests
    return request


def test_json_tells_all_of_a_message() -> None:
    """Envelope, header, text and files."""
    request = posted()
    told = request.json()
    assert (request.method, request.url, request.headers["content-type"]) == (
        "POST", "https://example.net/in", "application/json",
    )  # fmt: skip
    assert (told["from"], told["to"]) == (ANN, [HOOK, "more@hook.example"])
    assert (told["subject"], told["text"]) == ("Platte voll\u2026", "Grüße")
    assert told["attachments"] == [{"name": 'a "b".txt', "content_type": "text/plain", "base64": "aW5zaWRl"}]
    assert ["To", f"{HOOK}, more@hook.example"] in told["headers"]
    assert request.headers["traceparent"].startswith("00-")
    assert len({one["key"] for one in told["recipients"]} | {request.headers["idempotency-key"]}) == 3


def test_raw_is_the_message_as_it_is() -> None:
    """Octet for octet, with the envelope in the header."""
    request = posted(form="raw")
    assert request.headers["content-type"] == "message/rfc822"
    assert (request.headers["x-mailnode-from"], request.headers["x-mailnode-to"]) == (ANN, f"{HOOK}, more@hook.example")
    mail = BytesParser(policy=default).parsebytes(request.body)
    assert mail["Subject"] == "Platte voll\u2026"


@pytest.mark.rfc("7578", "4.2")
def test_a_form_holds_the_message_and_its_files() -> None:
    """Read by a parser we did not write."""
    request = posted(form="multipart")
    header = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(header + request.body)
    assert isinstance(form, EmailMessage)
    message, file = form.iter_parts()
    assert json.loads(str(message.get_content().decode()))["text"] == "Grüße"
    assert file.get_payload(decode=True) == b"inside"
    assert not form.defects


def test_the_signature_is_that_of_time_and_body() -> None:
    """Whoever shares the secret can compute it."""
    request = posted(secret="hush", token="tok", headers={"X-Team": "ops"})
    moment = int(request.headers["x-mailnode-signature"].removeprefix("t=").partition(",")[0])
    mac = hmac.new(b"hush", f"{moment}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-mailnode-signature"] == f"t={moment},v1={mac}"
    assert (request.headers["authorization"], request.headers["x-team"]) == ("Bearer tok", "ops")
    assert "hush" not in repr(Webhook(url="https://x", secret="hush", token="tok"))


def test_an_outage_costs_nothing_and_repeats_the_key() -> None:
    """Refused, silent, overloaded, then well: one message, one key."""
    web = FakeHttp().will(
        ConnectionRefusedError("refused"), HANG, HttpResponse(503, b"busy", {"retry-after": "60"}), 200
    )
    node = node_with(web)
    node.send(ANN, HOOK)
    assert "4.4.1 webhook: refused" in node.queue()[0].reason
    node.advance("10m")
    assert "no answer within" in node.queue()[0].reason
    node.advance("20m")
    assert not node.queue()
    assert len({one.headers["idempotency-key"] for one in web.requests}) == 1
    assert len({one.headers["traceparent"][:35] for one in web.requests}) == 1
    assert len(web.requests) == 4


def test_what_the_server_will_never_take_bounces_with_its_words() -> None:
    """404 bounces; a table of the configuration may say otherwise."""
    node = node_with(FakeHttp().will(HttpResponse(404, b"no such\r\nhook")))
    node.send(ANN, HOOK)
    (bounce,) = node.mailbox(ANN)
    assert "HTTP 404 no such hook" in " ".join(bounce.as_string().split())
    patient = node_with(FakeHttp().will(404), statuses={"404": "delayed"})
    patient.send(ANN, HOOK)
    assert "HTTP 404" in patient.queue()[0].reason


def test_each_recipient_for_itself() -> None:
    """Who was taken is not sent again."""
    web = FakeHttp().will(200, 500, 200)
    node = node_with(web, each=True)
    node.send(ANN, HOOK, "more@hook.example")
    assert [one.to for one in node.queue()] == ["more@hook.example"]
    node.advance("10m")
    assert not node.queue()
    assert [one.json()["to"] for one in web.requests] == [[HOOK], ["more@hook.example"], ["more@hook.example"]]


@pytest.mark.parametrize(
    "settings", [{"url": "ftp://x"}, {"url": "nonsense"}, {"url": "http://x", "statuses": {"x": "failed"}}]
)
def test_bad_settings_are_faults(settings: dict[str, Any]) -> None:
    """They stop the start and not the first mail."""
    with pytest.raises(ValueError, match="expected"):
        Webhook(**settings)


OPENAPI = Path(__file__).parents[2] / "etc" / "gateways" / "webhook.openapi.json"


@pytest.mark.parametrize("form", ["json", "raw", "multipart"])
def test_requests_are_as_their_openapi_document_says(form: str) -> None:
    """It is valid by a judge we did not write, and true of header and body."""
    document = json.loads(OPENAPI.read_text())
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())
    told = document["webhooks"]["mail"]["post"]
    request = posted(form=form, secret="hush")
    for field in told["parameters"]:
        value = request.headers.get(field["name"].lower())
        assert value is not None or not field["required"], field["name"]
        if value is not None:
            jsonschema.validate(value, field["schema"])
    kind = request.headers["content-type"].partition(";")[0]
    schema = told["requestBody"]["content"][kind]["schema"] | {"components": document["components"]}
    if form == "json":
        jsonschema.Draft202012Validator(schema).validate(request.json())
    elif form == "multipart":
        header = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        mail = BytesParser(policy=default).parsebytes(header + request.body)
        part = next(mail.iter_parts())
        described = {"$ref": "#/components/schemas/Described", "components": document["components"]}
        jsonschema.Draft202012Validator(described).validate(json.loads(part.get_content()))


class Hook(Resource):
    """A web server's resource that answers as told and keeps what it got."""

    isLeaf = True

    def __init__(self, *statuses: int) -> None:
        super().__init__()
        self.statuses = list(statuses)
        self.got: list[tuple[dict[str, str], bytes]] = []

    def render_POST(self, request: Any) -> Any:
        """Take a request."""
        if request.path != b"/in":
            return self._misbehave(request)
        headers = {
            name.decode().lower(): values[0].decode() for name, values in request.requestHeaders.getAllRawHeaders()
        }
        self.got.append((headers, request.content.read()))
        request.setResponseCode(self.statuses.pop(0) if self.statuses else 200)
        return b"x" * 1_000_000

    def _misbehave(self, request: Any) -> Any:
        """Send elsewhere, begin an answer that never ends, or send one without end."""
        if request.path == b"/elsewhere":
            return redirectTo(b"/in", request)
        request.write(b"x")
        if request.path == b"/endless":
            request.registerProducer(Endless(request), streaming=False)
        return NOT_DONE_YET


class Endless:
    """Sends on and on, for as long as somebody reads."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def resumeProducing(self) -> None:
        """Send more."""
        self.request.write(b"x" * 65536)

    def stopProducing(self) -> None:
        """Hear that nobody reads any more."""


class AgainstARealServer(TestCase):
    """By treq, over TCP, with the server gone for a while."""

    async def test_the_server_fails_goes_and_comes_back(self) -> None:
        """Everything arrives, once for each success, and the signature holds."""
        from twisted.internet import reactor as running

        reactor: Any = running
        hook = Hook(503)
        port = reactor.listenTCP(0, Site(hook), interface="127.0.0.1")
        address = port.getHost()
        assert isinstance(address, IPv4Address)
        gateway = Webhook(url=f"http://127.0.0.1:{address.port}/in", secret="hush", form="raw")
        node = MemoryNode(gateway, domain="hook.example", reactor=reactor)
        node.send(ANN, HOOK, subject="first")
        await node.settled()
        assert "503" in node.queue()[0].reason
        await port.stopListening()
        await gateway.node.http.close()  # type: ignore[attr-defined]
        node.send(ANN, HOOK, subject="second")
        await node.settled()
        assert "refused" in " ".join(one.reason for one in node.queue())
        port = reactor.listenTCP(address.port, Site(hook), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.addCleanup(lambda: Deferred.fromCoroutine(node.stop()))
        await node.advance("1h")
        assert not node.queue()
        assert sorted(b"Subject: second" in body for _, body in hook.got[1:]) == [False, True]
        for headers, body in hook.got:
            moment = int(headers["x-mailnode-signature"].removeprefix("t=").partition(",")[0])
            assert headers["x-mailnode-signature"] == signature("hush", moment, body)

    async def test_servers_that_send_elsewhere_or_never_end(self) -> None:
        """A redirect is not followed, an answer without end is cut, one that does not come is given up."""
        from twisted.internet import reactor as running

        reactor: Any = running
        hook = Hook()
        site = Site(hook)
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}"
        http = TreqClient(reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(http.close()))
        answer = await http.request("POST", f"{url}/elsewhere", body=b"x")
        self.assertEqual((answer.status, hook.got), (302, []))
        answer = await http.request("POST", f"{url}/endless", body=b"x")
        self.assertEqual((answer.status, len(answer.body)), (200, MOST_BODY))
        with self.assertRaises(DeferredTimeout):
            await http.request("POST", f"{url}/stuck", body=b"x", timeout=0.3)

    async def test_a_certificate_of_nobody_known_is_not_believed(self) -> None:
        """The mail waits, and the other side has seen nothing of it."""
        from twisted.internet import reactor as running

        reactor: Any = running
        hook = Hook()
        identity = Authority().sign("localhost")
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        certificate, key = identity.write(Path(folder.name), "hook")
        endpoint = serverFromString(reactor, f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={certificate}")
        port = await endpoint.listen(Site(hook))
        self.addCleanup(port.stopListening)
        gateway = Webhook(url=f"https://localhost:{port.getHost().port}/in")
        node = MemoryNode(gateway, domain="hook.example", reactor=reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(node.stop()))
        node.send(ANN, HOOK)
        await node.settled()
        self.assertIn("4.7.5 webhook: TLS: certificate verify failed", node.queue()[0].reason)
        self.assertEqual(hook.got, [])
        self.flushWarnings()  # Twisted's own endpoint makes a deprecated call
