"""Every vector of the contract holds on the server, on both Python clients and on the TypeScript one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from codegen import ir
from codegen.bundle import bundle
from codegen.load import Sources
from codegen.sdk import surface
from codegen.sdk.vectors import vectors
from tests.conftest import ROOT
from tests.contract.test_decoder_agreement import Decoders
from tests.live import Live
from tests.oracle import Asked, Oracle
from tests.sdk.driving import KINDS, Driver, Outcome, Reading, Script, TypeScriptCaller
from tests.sdk.scripted import Row, Scripted, scripted

CONTRACT = ir.build(bundle(Sources(ROOT, "spec/openapi.yaml")))
METHODS = {
    (resource.name, method.name): method for resource in surface.resources(CONTRACT) for method in resource.methods
}
VECTORS = vectors(CONTRACT)
LEAST = 10


def _of(*kinds: str) -> list[dict[str, Any]]:
    return [vector for vector in VECTORS if vector["kind"] in kinds]


def test_every_operation_has_ten() -> None:
    counted = Counter(vector["operation"] for vector in VECTORS)
    operations = {row["id"] for row in json.loads((ROOT / "models/contract/operations.json").read_text())["operations"]}
    assert not {operation: counted[operation] for operation in operations if counted[operation] < LEAST}
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)
    print(
        f"\n{len(VECTORS)} vectors of {len(operations)} operations: {dict(Counter(vector['kind'] for vector in VECTORS))}"
    )


def _asked(request: dict[str, Any], headers: dict[str, str] | None = None) -> Asked:
    body, told = b"", {**request["headers"], **(headers or {})}
    if "raw" in request or "body" in request:
        told["Content-Type"] = request["content_type"]
        is_form = request["content_type"] == "application/x-www-form-urlencoded"
        body = (
            request["raw"]
            if "raw" in request
            else urlencode(request["body"])
            if is_form
            else json.dumps(request["body"])
        ).encode()
    target = request["path"] + (f"?{urlencode([tuple(row) for row in request['query']])}" if request["query"] else "")
    return Asked(request["method"], target, tuple(told.items()), body)


def test_the_server_accepts_what_a_caller_may_send(oracle: Oracle) -> None:
    decoders, refused = Decoders(), []
    for vector in _of("request"):
        template = oracle.operations[vector["operation"]].path
        problem = decoders.refusal(
            vector["operation"], _asked(vector["expect"]), _path(template, vector["expect"]["path"])
        )
        if problem is not None:
            refused.append((vector["id"], problem.status, getattr(problem, "errors", ())))
    assert not refused


def _path(template: str, path: str) -> dict[str, str]:
    pairs = zip(template.split("/"), path.split("/"), strict=True)
    return {name[1:-1]: text for name, text in pairs if name.startswith("{")}


def test_the_server_refuses_what_a_caller_may_not_send(launch: Callable[..., Live]) -> None:
    operations = json.loads((ROOT / "models/contract/operations.json").read_text())["operations"]
    profiles = {row["rate_profile"] for row in operations if "rate_profile" in row}
    unlimited = {name: {"limit": 100_000, "window_seconds": 60} for name in sorted(profiles)}
    live = launch(rate_profiles=json.dumps(unlimited))
    browser = {row["id"] for row in operations if "bearer" not in str(row.get("security", "bearer"))}
    wrong = []
    ada = live.people.ada
    for vector in _of("malformed"):
        expected, request = vector["expect"], vector["request"]
        asked = _asked(request)
        answer = live.client.request(
            asked.method,
            asked.target,
            data=asked.body,
            headers=dict(asked.headers),
            as_=ada.in_browser() if vector["operation"] in browser else ada,
        )
        told = set(_places(answer.json)) if answer.content else set()
        if answer.status != expected["status"] or (
            expected["location"] and (expected["location"], expected["pointer"]) not in told
        ):
            wrong.append((vector["id"], vector["name"], answer.status, answer.text[:300]))
    assert not wrong, f"{len(wrong)} of {len(_of('malformed'))}: {wrong}"


def _places(problem: Any) -> list[tuple[str, str]]:
    if isinstance(problem, dict):
        own = [(problem["location"], problem["pointer"])] if {"location", "pointer"} <= set(problem) else []
        return own + [place for child in problem.values() for place in _places(child)]
    return [place for child in problem for place in _places(child)] if isinstance(problem, list) else []


def _row(answer: dict[str, Any]) -> Row:
    if "events" in answer:
        frames = [f"id: {e['id']}\nevent: {e['event']}\ndata: {json.dumps(e['data'])}\n\n" for e in answer["events"]]
        return Row(answer["status"], "".join(frames) + "data: [DONE]\n\n", answer["headers"])
    return Row(answer["status"], answer.get("text", answer.get("body")), answer.get("headers", {}))


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.long)], ids=["a-fourth", "all"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_client_runs_them(sdk: ModuleType, kind: str, step: int) -> None:
    chosen = _of("request", "response", "policy")[::step]
    wrong = failures(sdk, kind, chosen, api_key="k")
    print(f"\n{kind}: {len(chosen) - len(wrong)} of {len(chosen)} vectors")
    assert not wrong, f"{len(wrong)} of {len(chosen)}: {wrong[:5]}"


def failures(sdk: ModuleType, kind: str, chosen: list[dict[str, Any]], **held: str) -> list[tuple[Any, ...]]:
    """Run vectors on a client and return id, name and fault of those that fail."""
    driver, wrong = Driver(sdk, kind), list[tuple[Any, ...]]()
    with scripted() as server:
        cookies = {"SESSION_ID": "s", "CSRF-TOKEN": "c"}
        client = driver.client(server.url, bearer="b", cookies=cookies, retry=sdk.Retry(2, 0.001), **held)

        def script() -> Script:
            for vector in chosen:
                server.asked.clear()
                server.rows[:] = [_row(answer) for answer in vector["answers"]]
                outcome: Outcome = yield from _outcome(sdk, client, vector)
                if (fault := _fault(vector, outcome, server)) is not None:
                    wrong.append((vector["id"], vector.get("name"), fault))

        driver.run(script())
    return wrong


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.long)], ids=["a-fourth", "all"])
def test_the_typescript_client_runs_them(package: Path, step: int) -> None:
    chosen, wrong = _of("request", "response", "policy")[::step], []
    with scripted() as server, TypeScriptCaller(package, server.url) as caller:
        for vector in chosen:
            server.asked.clear()
            server.rows[:] = [_row(answer) for answer in vector["answers"]]
            resource, _, name = vector["call"].partition(".")
            outcome = caller.call(METHODS[resource, name], resource, vector["arguments"])
            if (fault := _fault(vector, outcome, server)) is not None:
                wrong.append((vector["id"], vector.get("name"), fault))
    print(f"\ntypescript: {len(chosen) - len(wrong)} of {len(chosen)} vectors")
    assert not wrong, f"{len(wrong)} of {len(chosen)}: {wrong[:5]}"


def _outcome(sdk: ModuleType, client: Any, vector: dict[str, Any]) -> Script:
    """Make the call of a vector, as far as the first item or event."""
    resource, _, name = vector["call"].partition(".")
    method = getattr(getattr(client, resource), name)
    try:
        if hasattr(method, "raw"):
            return Outcome(request_id=(yield method.raw(**vector["arguments"])).request_id)
        called = method(**vector["arguments"])
        yield called.first() if hasattr(called, "pages") else Reading(called, lambda _: True)
        return Outcome()
    except sdk.StatusError as error:
        pointers = [violation.pointer for violation in error.violations]
        told = {"status": error.status, "code": error.code, "request_id": error.request_id, "pointers": pointers}
        return Outcome(error=told)
    except sdk.APIError as error:
        return Outcome(failure=repr(error))


def _fault(vector: dict[str, Any], outcome: Outcome, server: Scripted) -> str | None:
    """Say what is not as the vector says."""
    expected = vector["expect"]
    is_error = outcome.error is not None or outcome.failure is not None
    if vector["kind"] == "request":
        return repr(outcome) if is_error else _request_fault(expected, server)
    if is_error != (expected["outcome"] == "error"):
        return f"{expected['outcome']} was expected, not {outcome}"
    if vector["kind"] == "policy":
        keys = {asked.headers.get("idempotency-key") for asked in server.asked}
        is_one = len(keys) == 1 and (None not in keys) == expected["one_key"]
        return (
            None if len(server.asked) == expected["attempts"] and is_one else f"{len(server.asked)} tries with {keys}"
        )
    if not is_error:
        return None if outcome.request_id in {None, expected["request_id"]} else f"request id {outcome.request_id}"
    told = outcome.error or {}
    wrong = {name: told.get(name) for name, value in expected.items() if name != "outcome" and told.get(name) != value}
    return f"{outcome}: {wrong}" if wrong else None


def _request_fault(expected: dict[str, Any], server: Scripted) -> str | None:
    asked = server.asked[0]
    url = urlsplit(asked.path)
    content = asked.headers.get("content-type", "")
    is_form = content == "application/x-www-form-urlencoded"
    body: Any = dict(parse_qsl(asked.body.decode())) if is_form else json.loads(asked.body) if asked.body else None
    told = {"method": asked.method, "path": url.path, "query": [list(pair) for pair in parse_qsl(url.query)]}
    told |= {"body": body, "content_type": content or None}
    wanted = {name: expected.get(name) for name in told}
    if any(asked.headers.get(name.lower()) != value for name, value in expected["headers"].items()):
        return f"headers {asked.headers}"
    return None if told == wanted else f"{told} for {wanted}"
