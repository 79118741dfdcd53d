"""What is answered to whom: the routes, and the way of a posted message into the node.

The order matters: the token was judged with the header; then the body is read, the key is looked up, what the token allows is
checked, the rate counts, and the message is handed in. Only what was accepted is kept under its key, so a refusal may be mended and
sent again with the same key.
"""

import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from email.message import Message
from functools import partial
from typing import Any

import attrs
from attrs import Factory, define, field, frozen
from twisted.internet.defer import CancelledError, DeferredSemaphore
from twisted.web.http_headers import Headers

from mailnode.gateways.api import AllRefused, Draft, GatewayNode, Rates, Refused, Submitted
from mailnode.shipped.http_inject.channel import PostedRequest, Said
from mailnode.shipped.http_inject.clients import Client, Clients
from mailnode.shipped.http_inject.fields import read_json
from mailnode.shipped.http_inject.openapi import document
from mailnode.shipped.http_inject.problems import RETRY_AFTER, Wrong, of_reply, told_refused
from mailnode.shipped.http_inject.raw import read_raw
from mailnode.shipped.http_inject.values import Posted, key

KEPT = 7 * 86400.0
"""Seconds for which an answer is known by its key."""
AT_ONCE = 4
"""Bodies that are read at the same time; each is in memory while it is."""
SMALL = 65536
"""Octets of a body that is read without a thread."""
NO_TOKEN = {"WWW-Authenticate": 'Bearer realm="mailnode"'}
JSON, RAW = "application/json", "message/rfc822"


@frozen
class Post:
    """A request to post, as far as its header tells."""

    client: Client
    kind: str
    key: str
    envelope: Mapping[str, tuple[str, ...]]
    digest: str
    """What makes the same request the same: form, envelope and body."""
    body: bytes = field(repr=False)


@define
class Answering:
    """Answers requests."""

    node: GatewayNode
    max_size: int
    proxied: bool
    clients: Clients = Factory(Clients)
    is_open: bool = True
    _rates: dict[tuple[str, float], Rates] = Factory(dict)
    _under_way: set[str] = Factory(set)
    _turns: DeferredSemaphore = Factory(partial(DeferredSemaphore, AT_ONCE))

    def judge(self, headers: Headers) -> Client:
        """Say whose token a header bears, and that its body can be read; raises Wrong."""
        scheme, _, token = _first(headers, "Authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Wrong("unauthorized", "Authorization: Bearer TOKEN is missing", headers=NO_TOKEN)
        client = self.clients.find(token.strip())
        if client is None:
            raise Wrong(
                "unauthorized", "this token is not known",
                headers={"WWW-Authenticate": f'{NO_TOKEN["WWW-Authenticate"]}, error="invalid_token"'},
            )  # fmt: skip
        _kind(headers)
        return client

    async def answer(self, request: PostedRequest) -> Said:
        """Answer a request, whatever it is."""
        try:
            return await self._routed(request)
        except Wrong as wrong:
            return Said(wrong.status, wrong.fields(), wrong.body())
        except CancelledError:
            raise
        except (OSError, sqlite3.Error) as trouble:
            self.node.log.error("a request failed: {reason}", event="trouble", reason=str(trouble))
        except Exception:  # noqa: BLE001 - our bug is no reason to tell a client that its message is bad
            self.node.log.failure("a request failed")
        trouble_told = Wrong("unavailable", "trouble on this side", retry_after=RETRY_AFTER)
        return Said(trouble_told.status, trouble_told.fields(), trouble_told.body())

    async def _routed(self, request: PostedRequest) -> Said:
        methods = _ROUTES.get(request.path.decode("latin-1"))
        if methods is None:
            raise Wrong("not-found", "see /openapi.json")
        method = request.method.decode("latin-1")
        found = methods.get("GET" if method == "HEAD" else method)
        if found is None:
            raise Wrong("wrong-method", "see Allow", headers={"Allow": ", ".join(methods)})
        return await found(self, request)

    # --- a message

    async def _post(self, request: PostedRequest) -> Said:
        if request.poster is None:  # there was no body, so nobody was judged
            self.judge(request.requestHeaders)
            raise Wrong("malformed", "there is no body")
        await self._turns.acquire()
        try:
            return await self._once(request, _post_of(request, request.poster))
        finally:
            self._turns.release()

    async def _once(self, request: PostedRequest, post: Post) -> Said:
        if not post.key:
            return await self._submit(request, post)
        name = f"{post.client.name}:{post.key}"
        if name in self._under_way:
            raise Wrong("under-way", "the first request with this key is being worked on", retry_after=1)
        self._under_way.add(name)
        try:
            known = await self.node.recall(f"answer {name}")
            if known:
                return _again(json.loads(known), post)
            said = await self._submit(request, post)
            await self._keep(name, post, said)
            return said
        finally:
            self._under_way.discard(name)

    async def _keep(self, name: str, post: Post, said: Said) -> None:
        """Keep an answer; the message is the node's already, so trouble with it must not read as a refusal."""
        kept = json.dumps({"digest": post.digest, "status": said.status, "body": said.body.decode()})
        try:
            await self.node.remember(f"answer {name}", kept, KEPT)
        except (OSError, sqlite3.Error) as trouble:
            self.node.log.error("an answer is not kept: {reason}", event="trouble", reason=str(trouble))

    async def _submit(self, request: PostedRequest, post: Post) -> Said:
        posted = await self._read(post)
        _check_allowed(post.client, posted)
        self._count(post.client)
        is_secure, address = self._seen(request)
        try:
            done = await self.node.submit(
                posted.mail, protocol="HTTPS" if is_secure else "HTTP", sender=str(posted.sender or ""),
                to=tuple(map(str, posted.to)), key=f"{post.client.name}:{post.key}" if post.key else "",
                mark=_field(request, "X-Mailnode-Mark"), traceparent=_field(request, "traceparent"),
            )  # fmt: skip
        except AllRefused as no:
            raise of_reply(no.reply, no.refused) from None
        except Refused as no:
            raise of_reply(no.reply) from None
        except ValueError as error:
            raise Wrong("invalid", str(error)) from None
        self.node.log.info(
            "{queue_id}: posted by {client} from {address}", event="posted", queue_id=done.queue_id,
            client=post.client.name, address=address,
        )  # fmt: skip
        return _accepted(done, posted)

    async def _read(self, post: Post) -> Posted:
        seed = post.digest + post.client.name + post.key if post.key else f"{self.node.random.getrandbits(128):x}"
        message_id = f"<{hashlib.sha256(seed.encode()).hexdigest()[:32]}.{self.node.name}@{self.node.hostname}>"
        now = self.node.clock.seconds()
        work: Callable[[], Posted] = partial(read_json, post.body)
        if post.kind == RAW:
            work = partial(read_raw, post.body, post.envelope, now=now, message_id=message_id)
        posted = work() if len(post.body) <= SMALL else await self.node.disk.run(work)
        if isinstance(posted.mail, Draft):
            return attrs.evolve(posted, mail=attrs.evolve(posted.mail, message_id=message_id))
        return posted

    def _count(self, client: Client) -> None:
        if client.rate:
            rates = self._rates.setdefault((client.name, client.rate), Rates(client.rate))
            if not rates.takes(client.name, self.node.clock.seconds()):
                raise Wrong("too-many", "this token's rate is exceeded", retry_after=max(1.0, 1 / client.rate))

    def _seen(self, request: PostedRequest) -> tuple[bool, str]:
        """Tell whether TLS was used, and from where it comes; a proxy's word counts only where there is one."""
        address = str(getattr(request.client, "host", "") or "a socket")
        if not self.proxied:
            return bool(request.isSecure()), address
        forwarded = _field(request, "X-Forwarded-For").rpartition(",")[2].strip()[:50]
        return _field(request, "X-Forwarded-Proto").lower() == "https", forwarded if forwarded.isascii() else address

    # --- the rest

    async def _describe(self, _: PostedRequest) -> Said:
        return _json(200, document(self.max_size))

    async def _health(self, _: PostedRequest) -> Said:
        if not (self.is_open and self.clients.known):
            raise Wrong("unavailable", "no mail is taken now", retry_after=RETRY_AFTER)
        return _json(200, {"status": "ok"})


Route = Callable[[Answering, PostedRequest], Awaitable[Said]]

_ROUTES: Mapping[str, Mapping[str, Route]] = {
    "/messages": {"POST": Answering._post},  # noqa: SLF001 - its own table
    "/openapi.json": {"GET": Answering._describe},  # noqa: SLF001
    "/healthz": {"GET": Answering._health},  # noqa: SLF001
}


def _json(status: int, value: Any, **fields: str) -> Said:
    return Said(status, {"Content-Type": JSON, **fields}, json.dumps(value).encode() + b"\n")


def _accepted(done: Submitted, posted: Posted) -> Said:
    refused = {address for address, _ in done.refused}
    told = {
        "queue_id": done.queue_id,
        "message_id": done.message_id,
        "accepted": [str(one) for one in posted.to if str(one) not in refused],
        "refused": told_refused(done.refused),
    }
    return _json(202, told, **({"Idempotent-Replayed": "true"} if done.is_repeated else {}))


def _again(known: Mapping[str, Any], post: Post) -> Said:
    """Give the answer that the first request had."""
    if known["digest"] != post.digest:
        raise Wrong("key-reused", "another request has had this Idempotency-Key")
    return Said(known["status"], {"Content-Type": JSON, "Idempotent-Replayed": "true"}, known["body"].encode())


def _check_allowed(client: Client, posted: Posted) -> None:
    if not client.may_send_from(posted.sender):
        raise Wrong("not-allowed", f"this token may not send from <{posted.sender or ''}>", pointer="/from")
    for place, author in posted.authors:
        if not client.may_send_from(author):
            raise Wrong("not-allowed", f"this token may not write as <{author}> ({place})")
    for one in posted.to:
        if not client.may_send_to(one):
            raise Wrong("not-allowed", f"this token may not send to <{one}>")


# --- reading a request ------------------------------------------------------------------------------------------


def _post_of(request: PostedRequest, client: Client) -> Post:
    kind = _kind(request.requestHeaders)
    envelope = {name: _envelope(request, name) for name in ("from", "to")} if kind == RAW else {}
    content: Any = request.content
    content.seek(0)
    body = content.read()
    digest = hashlib.sha256(json.dumps([kind, envelope]).encode())
    digest.update(body)
    name = key(_field(request, "Idempotency-Key") if request.requestHeaders.hasHeader("Idempotency-Key") else None)
    return Post(client, kind, name, envelope, digest.hexdigest(), body)


def _kind(headers: Headers) -> str:
    """Say in which form a body is; raises Wrong for one that cannot be read."""
    read = Message()
    read["Content-Type"] = _first(headers, "Content-Type")
    kind, charset = read.get_content_type(), str(read.get_param("charset") or "utf-8").lower()
    if kind not in (JSON, RAW) or (kind == JSON and charset not in ("utf-8", "utf8", "us-ascii")):
        raise Wrong("wrong-type", f"expected {JSON} in UTF-8 or {RAW}", headers={"Accept": f"{JSON}, {RAW}"})
    if headers.hasHeader("Content-Encoding"):
        raise Wrong("wrong-type", "a body may not be compressed", headers={"Accept-Encoding": "identity"})
    return str(kind)


def _envelope(request: PostedRequest, name: str) -> tuple[str, ...]:
    """Take addresses of the envelope from the query, or else from the header, where commas may stand between them."""
    args: Mapping[bytes, list[bytes]] = request.args or {}
    given = [octets.decode("utf-8", "replace") for octets in args.get(name.encode(), [])]
    if given:
        return tuple(given)
    words = _all(request.requestHeaders, f"X-Mailnode-{name}")
    return tuple(part.strip() for word in words for part in (word.split(",") if name == "to" else [word]))


def _field(request: PostedRequest, name: str) -> str:
    return _first(request.requestHeaders, name)


def _first(headers: Headers, name: str) -> str:
    return next(iter(_all(headers, name)), "")


def _all(headers: Headers, name: str) -> list[str]:
    """Give the values of a field, whatever octets they hold."""
    return [octets.decode("utf-8", "replace") for octets in headers.getRawHeaders(name.encode()) or []]
