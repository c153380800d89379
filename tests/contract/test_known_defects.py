"""Defects of other contract-first servers (C1 to C34, O1 to O8, edge JSON) that could exist here, each shown not to.

Left out, because the thing itself is absent: C1, C8, C30 (YAML and specs are never read by the server), C31, C27's
ASGI layer, C33 (our own UI), O1 to O4, O6 and O8 (openapi-core serves the tests only, and judges streams event by event).
C29 (a scheme without an info function) is a compile error: every scheme is resolved by the one verifier, and a type
that it cannot resolve is refused (tests/codegen/invalid/compile_security_scheme.yaml).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.test import TestResponse

from codegen.bundle import bundle
from codegen.emit import documents
from codegen.load import Sources
from codegen.pipeline import compile_text
from models import database
from tests.codegen.test_invalid import VALID
from tests.unit.server.conftest import GOOD, Running

PEN = b'{"name":"pen"}'


@pytest.fixture(params=["lane", "routed"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Give a client of the shop, through the direct lane and through Connexion's route in turn."""
    running = Running(tmp_path)
    yield running.client if request.param == "lane" else running.routed
    database.database.close_all()


def send(shop: Any, path: str, data: bytes, content_type: str | None = "application/json", **more: Any) -> TestResponse:
    response: TestResponse = shop.post(path, data=data, content_type=content_type, headers=GOOD, **more)
    return response


def rules(response: TestResponse) -> set[tuple[str, str]]:
    body = json.loads(response.data)
    return {(row["pointer"], row["rule"]) for row in body["errors"]}


# (path, body, the clauses that it breaks; none: it is accepted)
BODIES: dict[str, tuple[str, Any, set[tuple[str, str]]]] = {
    "C2 const": ("/items", {"name": "a", "kind": "b"}, {("/kind", "const")}),
    "C2 exclusiveMaximum": ("/items", {"name": "a", "price": 1000}, {("/price", "exclusiveMaximum")}),
    "C2 prefixItems": ("/tuples", ["x"], {("/0", "type")}),
    "C3 items false refuses more": ("/tuples", [1, 2], {("/1", "falseSchema")}),
    "C3 items false accepts what fits": ("/tuples", [1], set()),
    "C4 format uuid": ("/uuids", "nope", {("", "format")}),
    "C5 whole float is an integer": ("/items", {"name": "a", "price": 206.0}, set()),
    "C6 siblings of $ref count": ("/tags", "ab", {("", "minLength")}),
    "C6 the target of $ref counts": ("/tags", "abcdef", {("", "maxLength")}),
    "C7 recursive schema accepts": ("/trees", {"below": [{"below": []}, {}]}, set()),
    "C7 recursive schema refuses": (
        "/trees",
        {"below": [{"below": [{"x": 1}]}]},
        {("/below/0/below/0", "additionalProperties")},
    ),
    "C24 null where it is allowed": ("/items", {"name": "a", "note": None}, set()),
    "C24 the text null is no null": ("/items", {"name": "a", "note": "null"}, set()),
    "C34 unknown member": ("/items", {"name": "a", "zz": 1}, {("", "additionalProperties")}),
    "all violations at once": (
        "/items",
        {"name": "", "price": -1, "tags": ["toolong"]},
        {("/name", "minLength"), ("/price", "minimum"), ("/tags/0", "maxLength")},
    ),
    "NUL where the contract forbids it": ("/items", {"name": "a\0b"}, {("/name", "pattern")}),
}


@pytest.mark.parametrize(("path", "body", "broken"), BODIES.values(), ids=BODIES)
def test_a_body_is_judged_by_the_whole_schema(shop: Any, path: str, body: Any, broken: set[Any]) -> None:
    response = send(shop, path, json.dumps(body).encode())
    assert (rules(response) if response.status_code == 422 else set()) == broken, response.data
    assert (response.status_code < 300) == (not broken)


# (query, what the handler is given under the name; or the clauses that are broken)
QUERIES: dict[str, tuple[str, Any]] = {
    "C9 schema without a type": ("choice=a", {"choice": "a"}),
    "C9 and its enum": ("choice=c", {("/choice", "enum")}),
    "C10 type array, integer": ("maybe=5", {"maybe": 5}),
    "C10 type array, null": ("maybe=null", {"maybe": None}),
    "C12 content": ("json=%7B%22a%22:1%7D", {"json_value": {"a": 1}}),
    "C12 content that is no JSON": ("json=%7B", {("/json", "style")}),
    "C12 content that breaks its schema": ("json=%7B%22a%22:%22x%22%7D", {("/json/a", "type")}),
    "C13 underscore": ("n=1_000", {("/n", "type")}),
    "C13 leading space": ("n=%205", {("/n", "type")}),
    "C13 plus sign": ("n=%2B5", {("/n", "type")}),
    "C13 leading zero": ("n=05", {("/n", "type")}),
    "C13 full-width digit": ("n=%EF%BC%95", {("/n", "type")}),
    "C13 nan": ("ratio=nan", {("/ratio", "type")}),
    "C13 inf": ("ratio=inf", {("/ratio", "type")}),
    "C13 overflow": ("ratio=1e999", {("/ratio", "type")}),
    "C13 TRUE": ("flag=TRUE", {("/flag", "type")}),
    "C13 a good boolean": ("flag=false", {"flag": False}),
    "C13 a good number": ("ratio=-1.5e3", {"ratio": -1500.0}),
    "C14 exploded arrays keep commas": ("tag=a,b&tag=c", {"tag": ["a,b", "c"]}),
    "C14 an empty item is an item": ("tag=", {("/tag/0", "minLength")}),
    "C14 unexploded array": ("ids=1,2", {"ids": [1, 2]}),
    "C14 encoded comma stays in its item": ("ids=1%2C2", {("/ids/0", "type")}),
    "C14 pipes": ("piped=a%7Cb", {"piped": ["a", "b"]}),
    "C14 spaces": ("spaced=a%20b", {"spaced": ["a", "b"]}),
    "deep object": ("deep[a]=1&deep%5Bb%5D=x", {"deep": {"a": 1, "b": "x"}}),
    "deep object, unknown member": ("deep[c]=1", {("/deep", "additionalProperties")}),
    "spread object": ("a=1&b=x", {"spread": {"a": 1, "b": "x"}}),
    "repeated scalar": ("n=1&n=2", {("/n", "style")}),
    "default": ("", {"page": 1}),
    "C34 unknown parameter": ("nope=1", {("/nope", "unknown_parameter")}),
    "5,000 digits": ("n=" + "1" * 5000, {("/n", "type")}),
    "beyond 64 bits": ("n=" + "9" * 20, {("/n", "maximum")}),
    "all at once": ("n=x&flag=2&nope=1", {("/n", "type"), ("/flag", "type"), ("/nope", "unknown_parameter")}),
    "decoded once": ("tag=%2541", {"tag": ["%41"]}),
}


@pytest.mark.parametrize(("query", "expected"), QUERIES.values(), ids=QUERIES)
def test_a_query_means_what_its_style_and_schema_say(shop: Any, query: str, expected: Any) -> None:
    response = shop.get(f"/items?{query}")
    if isinstance(expected, set):
        assert response.status_code == 422, response.data
        assert rules(response) == expected
    else:
        assert response.status_code == 200, response.data
        assert response.json.items() >= expected.items()


# C11: (headers, cookie, answer or broken clauses)
CARRIED: dict[str, tuple[dict[str, str], Any]] = {
    "integer header": ({"X-N": "5"}, {"x_n": 5}),
    "boolean header": ({"X-Flag": "true"}, {"x_flag": True}),
    "array header": ({"X-List": "1, 2"}, {"x_list": [1, 2]}),
    "integer cookie": ({"Cookie": "b=1; c=7"}, {"c": 7}),
    "bad header": ({"X-N": "5x"}, {("/X-N", "type")}),
    "bad item": ({"X-List": "1,x"}, {("/X-List/1", "type")}),
    "bad cookie": ({"Cookie": "c=x"}, {("/c", "type")}),
}


@pytest.mark.parametrize(("headers", "expected"), CARRIED.values(), ids=CARRIED)
def test_headers_and_cookies_are_typed_and_reach_the_handler(shop: Any, headers: Any, expected: Any) -> None:
    response = shop.get("/carried", headers=headers)
    if isinstance(expected, set):
        assert rules(response) == expected
    else:
        assert response.json.items() >= expected.items()


# (content type, bytes, status)
RAW: dict[str, tuple[str | None, bytes, int]] = {
    "C23 media type in other case is validated": ("application/JSON", b'{"zz":1}', 422),
    "C23 media type in other case is accepted": ("Application/Json; Charset=UTF-8", PEN, 201),
    "C23 no media type": (None, PEN, 415),
    "another media type": ("text/plain", PEN, 415),
    "C19 unknown charset": ("application/json; charset=utf-7", PEN, 415),
    "C19 bad UTF-8": ("application/json", b'{"name":"\xff"}', 400),
    "C19 5,000-digit integer": ("application/json", b'{"name":"a","price":' + b"9" * 5000 + b"}", 400),
    "C19 10,000 levels": ("application/json", b"[" * 10_000, 400),
    "C19 1,025 levels": ("application/json", b"[" * 1025 + b"]" * 1025, 400),
    "C20 NaN": ("application/json", b'{"name":"a","price":NaN}', 400),
    "C20 duplicate keys": ("application/json", b'{"name":"a","name":"b"}', 400),
    "C20 duplicate keys, one escaped": ("application/json", b'{"name":"a","\\u006eame":"b"}', 400),
    "C20 duplicate keys, nested": ("application/json", b'[{"a":{"b":1,"b":1}}]', 400),
    "C20 lone surrogate": ("application/json", b'{"name":"\\ud800"}', 400),
    "C20 byte order mark": ("application/json", b"\xef\xbb\xbf" + PEN, 400),
    "half a document": ("application/json", b'{"name"', 400),
    "an empty body": ("application/json", b"", 400),
    "too large": ("application/json", b" " * 20_001, 413),
}


@pytest.mark.parametrize(("content_type", "data", "status"), RAW.values(), ids=RAW)
def test_a_body_is_refused_cleanly(shop: Any, content_type: str | None, data: bytes, status: int) -> None:
    assert send(shop, "/items", data, content_type).status_code == status


def test_a_compressed_body_is_415(shop: Any) -> None:
    headers = {**GOOD, "Content-Encoding": "gzip"}
    assert shop.post("/items", data=PEN, content_type="application/json", headers=headers).status_code == 415


def test_white_space_and_escapes_are_no_duplicates(shop: Any) -> None:
    assert send(shop, "/items", b'{ "name" : "a\\u0062", "note": ":" }').status_code == 201


def test_deep_nesting_is_accepted_up_to_the_limit_and_refused_cleanly_above(shop: Any) -> None:
    assert send(shop, "/anything", b"[" * 254 + b"]" * 254).status_code == 200
    assert send(shop, "/anything", b'{"a":' * 250 + b" 1" + b"}" * 250).status_code == 200
    assert send(shop, "/anything", b"[" * 256 + b"]" * 256).status_code == 400
    assert send(shop, "/anything", b"[" * 100_000).status_code == 400


def test_a_chunked_body_is_read(shop: Any) -> None:  # C21
    response = _chunked(shop, PEN)
    assert response.status_code == 201


def test_a_chunked_body_is_capped(shop: Any) -> None:
    assert _chunked(shop, b" " * 30_000).status_code == 413


def _chunked(shop: Any, data: bytes) -> TestResponse:
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    headers = {**GOOD, "Content-Type": "application/json"}
    response: TestResponse = shop.post("/items", input_stream=BytesIO(data), headers=headers, environ_overrides=environ)
    return response


@pytest.mark.parametrize("length", ["abc", "-1", "+5", "1_0", "\u0665"])
def test_a_bad_content_length_is_400(shop: Any, length: str) -> None:  # C19
    environ = {"CONTENT_LENGTH": length}
    headers = {**GOOD, "Content-Type": "application/json"}
    assert shop.post("/items", headers=headers, environ_overrides=environ).status_code == 400


def test_a_body_that_ends_early_is_400(shop: Any) -> None:
    headers = {**GOOD, "Content-Type": "application/json"}
    environ = {"CONTENT_LENGTH": "100"}
    response = shop.post("/items", input_stream=BytesIO(PEN), headers=headers, environ_overrides=environ)
    assert response.status_code == 400


def test_an_optional_body_may_be_absent(shop: Any) -> None:  # C22
    assert shop.post("/anything").json == {"body": None}


def test_a_required_body_is_named_when_it_is_absent(shop: Any) -> None:
    response = shop.post("/items", headers=GOOD)
    assert rules(response) == {("", "required")}


# (content type, bytes, answer or status)
FORMS: dict[str, tuple[str, bytes, Any]] = {
    "typed fields": (
        "application/x-www-form-urlencoded",
        b"name=a+b&count=5&tags=x&tags=y",
        {"name": "a b", "count": 5, "tags": ["x", "y"]},
    ),
    "bad field": ("application/x-www-form-urlencoded", b"name=a&count=x", {("/count", "type")}),
    "C34 unknown field": ("application/x-www-form-urlencoded", b"name=a&zz=1", {("", "additionalProperties")}),
    "bad UTF-8": ("application/x-www-form-urlencoded", b"name=%ff", 400),
    "raw bytes": ("application/x-www-form-urlencoded", b"name=\xff", 400),
    "repeated field": ("application/x-www-form-urlencoded", b"name=a&name=b", 400),
    "C19 multipart without boundary": ("multipart/form-data", b"--x--", 400),
    "C19 empty multipart": ("multipart/form-data; boundary=x", b"--x--\r\n", {("", "required")}),
    "C19 garbage": ("multipart/form-data; boundary=x", b"garbage", 400),
    "C19 bad JSON part": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n'
        b'--x\r\nContent-Disposition: form-data; name="meta"\r\n\r\n{\r\n--x--\r\n',
        400,
    ),
    "C32 JSON and binary parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n'
        b'--x\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n{"k":1}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nbytes\r\n--x--\r\n',
        {"name": "a", "meta": {"k": 1}, "file": "bytes"},
    ),
    "C32 binary part over its length": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nelevenbytes\r\n--x--\r\n',
        {("/file", "maxLength")},
    ),
}


@pytest.mark.parametrize(("content_type", "data", "expected"), FORMS.values(), ids=FORMS)
def test_forms_are_typed_and_judged(shop: Any, content_type: str, data: bytes, expected: Any) -> None:
    response = send(shop, "/forms", data, content_type)
    if isinstance(expected, int):
        assert response.status_code == expected, response.data
    elif isinstance(expected, set):
        assert rules(response) == expected
    else:
        assert response.json == expected


# C16 to C18: (method, path, status)
PATHS: dict[str, tuple[str, str, int]] = {
    "C17 bad integer in a path is judged, not lost": ("GET", "/items/x", 422),
    "C17 trailing slash is another path": ("GET", "/items/", 404),
    "C17 doubled slash is another path": ("GET", "/items//", 404),
    "C17 doubled slash in front": ("GET", "//items", 404),
    "C18 newline in a path does not skip security": ("GET", "/names/%0Ax", 401),
    "C18 newline in an integer": ("GET", "/items/%0A5", 422),
    "NUL in a path": ("GET", "/items/%00", 422),
    "not UTF-8": ("GET", "/items/%ff", 400),
    "beyond 64 bits": ("GET", "/items/" + "9" * 30, 422),
    "empty value": ("GET", "/names/", 404),
    "HEAD is not declared": ("HEAD", "/items", 405),
    "OPTIONS is not declared": ("OPTIONS", "/items", 405),
    "an unknown method": ("BREW", "/items", 405),
    "another method of a fixed path never reaches a catch-all": ("GET", "/forms", 405),
    "a catch-all": ("GET", "/other", 200),
    "a catch-all's other method": ("POST", "/other", 405),
}


@pytest.mark.parametrize(("method", "path", "status"), PATHS.values(), ids=PATHS)
def test_paths_are_matched_exactly(running: Running, method: str, path: str, status: int) -> None:
    response = running.client.open(path, method=method)
    assert response.status_code == status, response.data
    assert (method == "HEAD") == (not response.data)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield Running(tmp_path)
    database.database.close_all()


def test_405_names_every_method(running: Running) -> None:  # C16
    assert running.client.delete("/items").headers["Allow"] == "GET, POST"
    assert running.client.post("/items/5").headers["Allow"] == "DELETE, GET, PUT"
    assert running.routed.delete("/items").headers["Allow"] == "GET, POST"


def test_an_encoded_slash_stays_in_its_segment_and_is_decoded_once(running: Running) -> None:  # C17
    assert running.client.get("/names/a%2Fb", headers=GOOD).json == {"name": "a/b"}
    assert running.client.get("/names/%2541", headers=GOOD).json == {"name": "%41"}
    assert running.client.get("/names/%C3%A4", headers=GOOD).json == {"name": "ä"}


def test_a_parameter_of_an_operation_replaces_that_of_its_path() -> None:  # C15
    own = {"name": "item_id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 3}}
    document = yaml.safe_load(documents.as_yaml(bundle(Sources(VALID, "openapi.yaml")).document))
    entry = document["paths"]["/items/{item_id}"]
    assert entry["parameters"]
    entry["get"]["parameters"] = [*entry["get"].get("parameters", []), own]
    contract = compile_text(yaml.safe_dump(document, sort_keys=False), "defined.yaml").contract
    (operation,) = [row for row in contract.operations if row.id == "items_get"]
    (only,) = [row for row in operation.parameters if row.name == "item_id"]
    assert only.schema.startswith("#/paths/~1items~1{item_id}/get/parameters/")


def test_an_empty_success_needs_no_content_type(shop: Any) -> None:  # C25
    response = shop.delete("/items/5")
    assert (response.status_code, response.data) == (204, b"")


# C26: (the answer a handler makes, the clause it breaks)
ANSWERS = {
    "body": ("/id", "type"),
    "status": ("", "status"),
    "header": ("/X-Count", "type"),
    "no-header": ("", "required"),
    "media": ("", "media_type"),
    "none": ("", "status"),
}


@pytest.mark.parametrize(("name", "broken"), ANSWERS.items())
def test_an_answer_that_breaks_the_contract_is_found(running: Running, name: str, broken: tuple[str, str]) -> None:
    response = running.client.post(f"/answers/{name}")
    assert (response.status_code, response.json["code"]) == (500, "response_mismatch")
    assert broken in {(row.pointer, row.rule) for row in running.record.mismatches}
    assert running.effects() == 0


def test_401_names_a_scheme(shop: Any) -> None:  # C28
    response = shop.get("/names/a")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="Shop"')


def test_a_refusal_is_no_mismatch(running: Running) -> None:  # O5
    assert send(running.client, "/items", b"{}", "text/plain").status_code == 415
    assert running.record.mismatches == []


def test_violations_never_show_the_value(shop: Any) -> None:  # O7
    response = send(shop, "/items", b'{"name":"a secret that is longer than twenty"}')
    assert b"secret" not in response.data
