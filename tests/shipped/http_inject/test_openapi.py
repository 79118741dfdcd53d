"""Tests of the OpenAPI document: valid by a judge we did not write, and true of what the gateway takes and answers."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mailnode.shipped.http_inject.gateway import HttpInject
from mailnode.shipped.http_inject.openapi import document
from mailnode.testing.api import MemoryNode
from tests.kit.posting import Heard, node_with, post

FILE = Path(__file__).parents[3] / "etc" / "gateways" / "http-inject.openapi.json"
DOCUMENT = document(10 << 20)
MAIL: dict[str, Any] = {"from": "orders@shop.example", "to": ["ann@home.example"], "text": "hello"}
FULL: dict[str, Any] = {
    "from": {"address": "orders@shop.example", "name": "The shop"}, "to": [], "bcc": ["ann@home.example"],
    "cc": [{"address": "bob@home.example"}], "subject": "Hi", "html": "<p>Hi", "in_reply_to": "<1@x.example>",
    "references": ["<0@x.example>"], "automatic": False, "headers": {"Reply-To": "x@shop.example"},
    "attachments": [{"name": "a", "content_type": "text/plain", "base64": "AA=="}],
}  # fmt: skip


def fits(value: object, schema: dict[str, Any]) -> bool:
    """Tell whether a value fits a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return bool(jsonschema.Draft202012Validator(whole).is_valid(value))


def check_answer(answer: Heard, path: str = "/messages", method: str = "post") -> None:
    """Check that an answer is one that the document tells of."""
    told = DOCUMENT["paths"][path][method]["responses"][str(answer.status)]
    schema = told["content"][answer.headers["content-type"]]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json())
    if answer.status in (409, 429, 503):
        assert int(answer.headers["retry-after"]) > 0


@pytest.fixture
def node(tmp_path: Path) -> MemoryNode:
    """Give a node that takes mail by HTTP."""
    return node_with(tmp_path, max_size=5000)


def test_the_document_is_valid() -> None:
    """By openapi-spec-validator; its schemas too."""
    assert not list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors())
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_copy_in_etc_is_the_same() -> None:
    """Anew: ``python -m tests.shipped.http_inject.test_openapi`` from the top folder."""
    assert json.loads(FILE.read_text()) == DOCUMENT
    assert HttpInject(tokens="/x").max_size == 10 << 20


@pytest.mark.parametrize("body", [MAIL, FULL])
def test_what_fits_the_document_is_taken(node: MemoryNode, body: dict[str, Any]) -> None:
    """And the answer fits too."""
    assert fits(body, DOCUMENT["components"]["schemas"]["Message"])
    answer = post(node, body, Idempotency_Key="k")
    assert answer.status == 202
    check_answer(answer)
    check_answer(post(node, body, Idempotency_Key="k"))


@pytest.mark.parametrize(
    "change",
    [{"from": 1}, {"to": "x"}, {"to": ["x\n"]}, {"subject": "a\nb"}, {"x": 1}, {"attachments": [{}]}, {"automatic": 1},
     {"headers": {"X-A": 1}}, {"references": ["x"]}, {"in_reply_to": "<a b@c>"}],
)  # fmt: skip
def test_what_does_not_fit_is_not_taken(node: MemoryNode, change: dict[str, Any]) -> None:
    """Neither by the document nor by the gateway, whose problem fits."""
    assert not fits(MAIL | change, DOCUMENT["components"]["schemas"]["Message"])
    answer = post(node, MAIL | change)
    assert answer.status == 422
    check_answer(answer)


def test_every_problem_fits(node: MemoryNode) -> None:
    """Those of SMTP, of tokens, of size, of form, of keys."""
    answers = [
        post(node, b"{"),
        post(node, MAIL, token="x"),
        post(node, MAIL | {"from": "eve@evil.example"}),
        post(node, b"x" * 5001),
        post(node, MAIL, Content_Type="text/plain"),
        post(node, MAIL | {"to": ["x@a.other.example"]}),
        post(node, MAIL, Idempotency_Key=" "),
        *(post(node, MAIL) for _ in range(40)),
    ]
    for answer in answers:
        check_answer(answer)
    assert [one.status for one in answers[:5]] == [400, 401, 403, 413, 415]
    assert {one.status for one in answers[7:]} == {202, 429}
    assert "reply" in answers[5].json()


def test_the_other_paths_are_told_of(node: MemoryNode) -> None:
    """Health, the lack of it, and the document itself."""
    check_answer(post(node, method="GET", path="/healthz"), "/healthz", "get")
    check_answer(post(node, method="GET", path="/openapi.json"), "/openapi.json", "get")
    node.gateway("post")._answering.is_open = False  # type: ignore[attr-defined]
    check_answer(post(node, method="GET", path="/healthz"), "/healthz", "get")


def test_every_problem_is_described() -> None:
    """Its type leads to a place in the document."""
    kinds = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    for kind in kinds:
        assert DOCUMENT["x-problems"][kind.rpartition("/")[2]]["description"]


if __name__ == "__main__":
    FILE.write_text(json.dumps(DOCUMENT, indent=2) + "\n")
