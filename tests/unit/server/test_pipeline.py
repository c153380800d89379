"""The stages of the compiled view: who may, how often, what is kept, what goes out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from core.kernel.operation import Contract
from core.kernel.problems import Unavailable
from models.database import database, read
from server.app import HandlerMissing, create_app
from server.switches import SwitchUnknown
from tests.unit.server import shop as shop_module
from tests.unit.server.conftest import GOOD, Running
from tests.unit.server.shop import Shop, Streams
from tests.unit.server.shop_contract import CONTRACT

PEN = {"name": "pen", "price": 5}
SESSION = {"Cookie": "SESSION_ID=good"}

# (headers, status, code)
CALLERS: dict[str, tuple[dict[str, str], int, str | None]] = {
    "no credential": ({}, 401, "unauthenticated"),
    "a bad one": ({"Authorization": "Bearer bad"}, 401, "unauthenticated"),
    "another scheme of that header": ({"Authorization": "Basic good"}, 401, "unauthenticated"),
    "scheme in other case": ({"Authorization": "bearer good"}, 201, None),
    "session with CSRF token": ({**SESSION, "X-CSRF-TOKEN": "csrf"}, 201, None),
    "session without CSRF token": (SESSION, 403, "csrf_failed"),
    "two different": ({"Cookie": "SESSION_ID=other", "Authorization": "Bearer good"}, 400, "ambiguous_credentials"),
    "a token with a stray CSRF header": ({**GOOD, "X-CSRF-TOKEN": "csrf"}, 201, None),
}


@pytest.mark.parametrize(("headers", "status", "code"), CALLERS.values(), ids=CALLERS)
def test_a_caller_is_let_in_by_one_good_credential(
    running: Running, headers: dict[str, str], status: int, code: str | None
) -> None:
    response = running.client.post("/items", json=PEN, headers=headers)
    assert (response.status_code, response.json.get("code")) == (status, code)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert running.effects() == (status == 201)


def test_an_alternative_is_met_whole_where_the_verifier_does_not_mind(running: Running) -> None:
    assert running.client.get("/names/pears", headers=SESSION).status_code == 403
    assert running.client.get("/names/pears", headers={**SESSION, "X-CSRF-TOKEN": "csrf"}).status_code == 200


def test_a_scope_is_filled_from_the_path(running: Running) -> None:
    assert running.client.get("/scoped/apples", headers=GOOD).status_code == 200
    refused = running.client.get("/scoped/pears", headers=GOOD)
    assert (refused.status_code, refused.json["scope"]) == (403, "pears:read")


def test_a_credential_that_the_operation_does_not_accept_is_401(running: Running) -> None:
    assert running.client.get("/scoped/apples", headers=SESSION).status_code == 401


def test_the_caller_is_known_before_the_body_is_read(running: Running) -> None:
    response = running.client.post("/items", data=b"x" * 30_000, content_type="text/plain")
    assert response.status_code == 401


def test_every_answer_says_where_the_caller_stands_with_its_limit(running: Running) -> None:
    running.limiter.left = 1
    admitted = running.client.post("/items", json=PEN, headers=GOOD)
    refused = running.client.post("/items", json=PEN, headers=GOOD)
    assert admitted.headers["RateLimit-Remaining"] == "0"
    assert (refused.status_code, refused.headers["Retry-After"], refused.json["retry_after_seconds"]) == (429, "3", 3)
    expected = {"RateLimit-Limit": "1000", "RateLimit-Reset": "7", "X-RateLimit-Profile": "default"}
    assert dict(refused.headers).items() >= expected.items()
    assert running.limiter.asked == [shop_module.ADA.key] * 2


# Idempotency-Key: (second request: path, body, headers) → (status, effects)
KEYED = {**GOOD, "Idempotency-Key": "k1"}
REPEATS: dict[str, tuple[dict[str, Any], dict[str, str], int, int]] = {
    "same request": (PEN, KEYED, 201, 1),
    "another key": (PEN, {**GOOD, "Idempotency-Key": "k2"}, 201, 2),
    "no key": (PEN, GOOD, 201, 2),
    "another body": ({"name": "cup"}, KEYED, 422, 1),
    "invalid body": ({"name": ""}, KEYED, 422, 1),
}


@pytest.mark.parametrize(("body", "headers", "status", "effects"), REPEATS.values(), ids=REPEATS)
def test_a_key_gives_its_first_answer_again(
    running: Running, body: dict[str, Any], headers: dict[str, str], status: int, effects: int
) -> None:
    first = running.client.post("/items", json=PEN, headers=KEYED)
    again = running.client.post("/items", json=body, headers=headers)
    assert (again.status_code, running.effects()) == (status, effects)
    if headers is KEYED and body is PEN:
        assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")


def test_a_key_is_its_callers_own(running: Running) -> None:
    running.client.post("/items", json=PEN, headers=KEYED)
    running.client.post("/answers/good", headers={"Idempotency-Key": "k1"})
    with read():
        kept = {row[0] for row in database.execute_sql("SELECT id FROM firsts").fetchall()}
    assert kept == {f"{shop_module.ADA.key} items_create k1", "address:local answers_break k1"}


def test_a_replay_repeats_deleted_cookies_and_no_secret_ones(running: Running) -> None:
    for _ in range(2):
        response = running.client.post("/answers/cookies", headers={"Idempotency-Key": "c"})
        cookies = response.headers.getlist("Set-Cookie")
    assert cookies == [f"{name}=; Path=/; SameSite=Lax; Max-Age=0; HttpOnly" for name in ("a", "b")]
    for _ in range(2):
        response = running.client.post("/answers/good", headers={"Idempotency-Key": "g"})
    assert (response.status_code, response.headers.getlist("Set-Cookie")) == (200, [])


def test_invalid_input_has_the_status_of_its_surface(running: Running) -> None:
    response = running.client.get("/" + "x" * 60)
    assert (response.status_code, response.json["status_code"]) == (400, 400)
    assert response.json["error"]["details"]["code"] == "validation_failed"


# (name of the item, status): answers that are not kept
REFUSED = {"a problem rolls back": ("conflict", 409), "an answer that breaks the contract rolls back": ("break", 500)}


@pytest.mark.parametrize(("name", "status"), REFUSED.values(), ids=REFUSED)
def test_a_refused_request_leaves_neither_effect_nor_key(running: Running, name: str, status: int) -> None:
    for _ in range(2):
        response = running.client.post("/items", json={"name": name}, headers=KEYED)
        assert (response.status_code, running.effects()) == (status, 0)
    assert "Idempotency-Replayed" not in response.headers
    assert running.client.post("/items", json=PEN, headers=KEYED).status_code == 201


def test_the_slow_step_runs_before_the_transaction(running: Running) -> None:
    def prepare(call: Any) -> Any:
        assert database.is_closed() or not database.in_transaction()
        return call.body.name.upper()

    running.rebuild(prepares={"items_create": prepare})
    assert running.client.post("/items", json=PEN, headers=GOOD).status_code == 201
    assert running.shop.calls[-1].context.prepared == "PEN"


def test_a_replayed_stream_is_opened_again_from_its_beginning(running: Running) -> None:
    Streams.opened.clear()
    for _ in range(2):
        response = running.client.post("/feed", headers={"Idempotency-Key": "s"})
        assert (response.status_code, response.data) == (200, b"data: 1\n\n")
    first, again = Streams.opened
    assert (first.channel, first.after) == ("feed:1", None)
    assert (again.channel, again.after, again.closing) == ("feed:1", 0, b"data: [DONE]\n\n")
    assert len(running.shop.calls) == 1


def test_a_bug_stays_one_when_the_key_of_its_request_cannot_be_released(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(store: object, **names: object) -> None:
        raise Unavailable

    def fail(shop: object, call: object) -> None:
        raise KeyError

    monkeypatch.setattr(shop_module.SqlStore, "release", lose)
    monkeypatch.setattr(shop_module.Shop, "feeds_open", fail)
    running.rebuild()
    assert running.client.post("/feed", headers={"Idempotency-Key": "s"}).status_code == 500
    assert [type(error) for error in running.record.failures] == [KeyError]
    assert running.record.outages == ["idempotency.release"]


def test_a_stream_that_breaks_the_contract_is_closed_when_500_takes_its_place(running: Running) -> None:
    """What was opened and never sent would be kept for as long as the worker lives."""
    assert running.client.post("/answers/stream").status_code == 500
    assert running.streams.closed == 1


# (method, headers made from the current ETag, status)
CONDITIONS: dict[str, tuple[str, dict[str, str], int]] = {
    "the same": ("GET", {"If-None-Match": "{tag}"}, 304),
    "the same, weak": ("GET", {"If-None-Match": "W/{tag}"}, 304),
    "one of several": ("GET", {"If-None-Match": '"other", {tag}'}, 304),
    "any": ("GET", {"If-None-Match": "*"}, 304),
    "another": ("GET", {"If-None-Match": '"other"'}, 200),
    "match": ("PUT", {"If-Match": "{tag}"}, 200),
    "match any": ("PUT", {"If-Match": "*"}, 200),
    "no match": ("PUT", {"If-Match": '"other"'}, 412),
    "a match of no tag": ("PUT", {"If-Match": "0" * 32}, 412),
    "a weak tag never matches": ("PUT", {"If-Match": "W/{tag}"}, 412),
    "no condition": ("PUT", {}, 200),
}


@pytest.mark.parametrize(("method", "headers", "status"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions_are_judged_by_the_current_etag(
    running: Running, method: str, headers: dict[str, str], status: int
) -> None:
    tag = running.client.get("/items/5").headers["ETag"]
    sent = {name: value.format(tag=tag) for name, value in headers.items()}
    response = running.client.open("/items/5", method=method, headers=sent, json=PEN if method == "PUT" else None)
    assert response.status_code == status
    if status == 304:
        assert (response.data, response.headers["ETag"]) == (b"", tag)


def test_a_changed_resource_has_another_etag(running: Running) -> None:
    tag = running.client.get("/items/5").headers["ETag"]
    running.client.put("/items/5", json={"name": "pen", "price": 9})
    assert running.client.get("/items/5", headers={"If-None-Match": tag}).status_code == 200
    assert running.client.put("/items/5", json=PEN, headers={"If-Match": tag}).status_code == 412
    assert running.shop.price == 9


# (path, status, code, what is reported)
FAILURES = {
    "a bug": ("/failures/bug", 500, "internal_error"),
    "a refusal with a cause": ("/items/404", 404, "SHOP.NOT_FOUND"),
    "a catch-all's style": ("/failures", 200, None),
}


@pytest.mark.parametrize(("path", "status", "code"), FAILURES.values(), ids=FAILURES)
def test_a_cause_is_reported_and_never_sent(running: Running, path: str, status: int, code: str | None) -> None:
    response = running.client.get(path)
    assert (response.status_code, response.json.get("code")) == (status, code)
    assert b"secret" not in response.data
    assert b"private" not in response.data
    reported = {"internal_error": len(running.record.failures), "SHOP.NOT_FOUND": len(running.record.causes)}
    assert reported.get(str(code), 1) == 1
    assert running.record.ended[-1][1] == status


def test_a_lost_database_is_503(running: Running) -> None:
    response = running.client.get("/failures/lost")
    assert (response.status_code, response.json["code"], response.headers["Retry-After"]) == (503, "unavailable", "1")
    assert running.record.causes == ["server closed the connection"]


def test_a_header_cannot_be_split(running: Running) -> None:
    response = running.client.post("/answers/injection")
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert not {"X-Evil", "X-Note"} & set(response.headers.keys())


# (path, style member)
STYLES = {"/flow/none": "success", "/nothing/here": "type", "/flow": "model"}


@pytest.mark.parametrize(("path", "member"), STYLES.items())
def test_an_unknown_path_takes_the_style_of_its_prefix(running: Running, path: str, member: str) -> None:
    response = running.client.get(path)
    assert member in response.json
    assert running.routed.get(path).json.keys() == response.json.keys()


def test_a_problem_is_rendered_whole(running: Running) -> None:
    response = running.client.get("/items/404")
    assert response.content_type == "application/problem+json"
    assert response.json == {
        "type": "https://accord.dev/problems/shop-not-found",
        "title": "Not found",
        "status": 404,
        "code": "SHOP.NOT_FOUND",
        "detail": "No such item.",
        "instance": "/items/404",
    }


def test_a_violation_names_its_line_in_the_contract(running: Running) -> None:
    response = running.client.post("/items?zz=1", json={"name": ""}, headers=GOOD)
    found = {(row["location"], row["pointer"], row["rule"], row.get("source")) for row in response.json["errors"]}
    assert found == {
        ("body", "/name", "minLength", "shop.yaml:40"),
        ("query", "/zz", "unknown_parameter", None),
    }


# (sent, echoed)
REQUEST_IDS = {"abc-1": True, "x" * 128: True, "x" * 129: False, "a b": False, "é": False, "": False}


@pytest.mark.parametrize(("sent", "is_echoed"), REQUEST_IDS.items())
def test_a_good_request_id_is_echoed(running: Running, sent: str, is_echoed: bool) -> None:
    for path in ("/items", "/items/404", "/nothing/here"):
        answered = running.client.get(path, headers={"X-Request-Id": sent}).headers["X-Request-Id"]
        assert (answered == sent) == is_echoed
        assert 1 <= len(answered) <= 128


def test_every_answer_carries_the_security_headers(running: Running) -> None:
    for path in ("/items", "/items/404", "/nothing/here", "/text"):
        headers = running.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers


def test_tls_is_made_binding_in_production_only(production: Running) -> None:
    assert "Strict-Transport-Security" in production.client.get("/text", base_url="https://shop").headers
    assert "Strict-Transport-Security" not in production.client.get("/text").headers


def test_a_deprecated_operation_says_since_when_and_until_when(running: Running) -> None:
    headers = running.client.get("/scoped/apples", headers=GOOD).headers
    assert headers["Deprecation"] == "@1769817600"
    assert headers["Sunset"] == "Wed, 31 Dec 2036 00:00:00 GMT"
    assert not {"Deprecation", "Sunset"} & set(running.client.get("/items").headers.keys())


@pytest.mark.parametrize("accept", ["text/event-stream", "application/xml", "application/json;q=0", "", "garbage/;,"])
def test_accept_chooses_nothing(running: Running, accept: str) -> None:
    response = running.client.get("/items/5", headers={"Accept": accept})
    assert (response.status_code, response.content_type) == (200, "application/json")
    refused = running.client.get("/items/404", headers={"Accept": accept})
    assert (refused.status_code, refused.content_type) == (404, "application/problem+json")


def test_an_operation_without_a_handler_is_501_in_dev_and_stops_production(running: Running) -> None:
    response = running.client.get("/later")
    assert (response.status_code, response.json["code"]) == (501, "not_implemented")
    assert running.record.mismatches == []
    settings = msgspec.structs.replace(running.settings, profile="production")
    service = shop_module.service(running.folder, settings, Shop())
    with pytest.raises(HandlerMissing, match="later_get"):
        create_app(service)


def test_a_switched_off_operation_is_404_before_anyone_is_asked_who_calls(running: Running) -> None:
    running.rebuild(contract=_switched("well_known"))
    assert running.client.post("/items", json=PEN, headers=GOOD).status_code == 201
    running.rebuild(contract=_switched("well_known"), well_known=False)
    for headers in ({}, GOOD):
        response = running.client.post("/items", json=PEN, headers=headers)
        assert (response.status_code, response.json["code"]) == (404, "SHOP.NOT_FOUND")
    assert running.client.get("/scoped/apples", headers=GOOD).status_code == 200


@pytest.mark.parametrize("name", ["no_such_setting", "workers"])
def test_a_switch_that_is_no_setting_stops_the_start(running: Running, name: str) -> None:
    with pytest.raises(SwitchUnknown, match=f"x-switch: {name}"):
        running.rebuild(contract=_switched(name))


def _switched(name: str) -> Contract:
    rows = [
        msgspec.structs.replace(row, switch=name) if row.id == "items_create" else row for row in CONTRACT.operations
    ]
    return msgspec.structs.replace(CONTRACT, operations=tuple(rows))


def test_production_reports_a_mismatch_and_sends_it(production: Running) -> None:
    response = production.client.post("/answers/body")
    assert (response.status_code, response.json) == (200, {"id": "x"})
    assert production.record.mismatches


def test_a_cookie_is_set_as_asked(running: Running) -> None:
    response = running.client.post("/answers/good")
    assert response.headers["Set-Cookie"] == "seen=1; Path=/; SameSite=Lax; HttpOnly"


# (trusted proxies, peer, X-Forwarded-For, client)
HOPS = {
    "nobody trusted": ((), "10.0.0.1", "1.1.1.1", "10.0.0.1"),
    "a trusted proxy": (("10.0.0.0/8",), "10.0.0.1", "1.1.1.1", "1.1.1.1"),
    "a forged first hop": (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
    "a stranger who claims": (("10.0.0.0/8",), "9.9.9.9", "1.1.1.1", "9.9.9.9"),
    "a hop with its port": (("10.0.0.0/8",), "10.0.0.1", "1.1.1.1:49152, 10.0.0.2:80", "1.1.1.1"),
    "a bracketed hop with its port": (("10.0.0.0/8",), "10.0.0.1", "[2001:db8::1]:49152", "2001:db8::1"),
    "a listener for both": (("10.0.0.0/8",), "::ffff:10.0.0.1", "1.1.1.1, ::ffff:10.0.0.2", "1.1.1.1"),
    "a hop that is no address": (("10.0.0.0/8",), "10.0.0.1", "1.1.1.1, unknown", "unknown"),
    "no header": (("10.0.0.0/8",), "10.0.0.1", "", "10.0.0.1"),
}


@pytest.mark.parametrize(("trusted", "peer", "forwarded", "client"), HOPS.values(), ids=HOPS)
def test_the_client_is_the_first_hop_that_is_not_trusted(
    running: Running, trusted: tuple[str, ...], peer: str, forwarded: str, client: str
) -> None:
    running.rebuild(trusted_proxies=trusted)
    headers = {**GOOD, "X-Forwarded-For": forwarded} if forwarded else GOOD
    running.client.post("/items", json=PEN, headers=headers, environ_base={"REMOTE_ADDR": peer})
    assert running.shop.calls[-1].context.client_address == client


def test_connexion_routes_every_operation_of_the_contract(running: Running) -> None:
    routed = {rule.endpoint.rpartition(".")[2] for rule in running.app.url_map.iter_rules()}
    assert routed >= {row.id for row in shop_module.CONTRACT.operations}
    assert json.loads(running.routed.get("/items/5").data) == json.loads(running.client.get("/items/5").data)
