"""The fuzzer's settings file: what each operation is sent, how callers sign in, and what is no failure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.client import Person
from tests.fuzz.expectations import DISABLED, expected_statuses
from tests.fuzz.seeds import Seeds
from tests.oracle import EVENT_STREAM, Operation, Oracle

GUESS = 0.7
"""How often a drawn request takes a known value."""
STREAM_SECONDS = 2.0
"""A stream that has nothing more to say is left after this."""


def write_settings(
    oracle: Oracle,
    operations: Iterable[Operation],
    seeds: Seeds | None = None,
    *,
    login: str = "",
    headers: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return the settings file. login: from `bearer_login`; headers: by operation id."""
    lines = ["request-timeout = 20.0", "max-stream-events = 3", "continue-on-failure = true", login]
    lines += [
        "[generation]",
        "with-security-parameters = false  # callers sign in; tests/fuzz/test_garbage.py sends bad ones",
    ]
    lines += ["[phases.examples]", "fill-missing = true", "extra-data-sources = { responses = false }"]
    dictionaries: dict[str, str] = {}
    blocks: list[str] = []
    for operation in operations:
        known = {} if seeds is None else seeds.known(operation.id)
        bindings = {place: _bind(dictionaries, *each) for place, each in known.items()}
        blocks += _operation(oracle, operation, bindings, (headers or {}).get(operation.id, {}))
    for values, name in dictionaries.items():
        lines += [f"[dictionaries.{name}]", f"values = {values}"]
    return "\n".join([*lines, *blocks, ""])


def bearer_login(person: Person) -> str:
    """Return how the fuzzer takes a token by itself, and again whenever it has thrown it away."""
    payload = {"username": person.email, "password": person.password}
    return "\n".join(
        [
            "[auth.dynamic.openapi.bearer]",
            'path = "/auth/token"',
            f"payload = {_table(payload)}",
            'payload_content_type = "application/x-www-form-urlencoded"',
            'extract_selector = "/access_token"',
        ]
    )


def _bind(dictionaries: dict[str, str], values: list[Any], is_must: bool) -> dict[str, Any]:
    name = dictionaries.setdefault(json.dumps(values), f"known{len(dictionaries)}")
    return {"dictionary": name, "probability": 1.0 if is_must else GUESS}


def _operation(
    oracle: Oracle, operation: Operation, bindings: Mapping[str, Any], headers: Mapping[str, str]
) -> Iterator[str]:
    yield from ("[[operations]]", f'include-operation-id = "{operation.id}"')
    if _is_endless(oracle, operation):
        yield f"request-timeout = {STREAM_SECONDS}"
    if bindings:
        yield f"parameters = {_table(bindings)}"
    if headers:
        yield f"headers = {_table(headers)}"
    expected = expected_statuses(oracle, operation)
    yield from ("[operations.checks.positive_data_acceptance]", f"expected-statuses = {json.dumps(expected)}")
    if failing := [status for status in expected if isinstance(status, int) and status >= 500]:
        statuses = ["2xx", "3xx", "4xx", *failing]
        yield from ("[operations.checks.not_a_server_error]", f"expected-statuses = {json.dumps(statuses)}")
    for row in DISABLED:
        if row.has_cause(oracle, operation):
            yield from (f"[operations.checks.{row.check}]", "enabled = false")


def _is_endless(oracle: Oracle, operation: Operation) -> bool:
    """Say whether success is an event stream and nothing else."""
    good = [oracle.resolve(each) for status, each in operation.spec["responses"].items() if status.startswith("2")]
    return all(set(response.get("content", ())) == {EVENT_STREAM} for response in good)


def _table(value: Mapping[str, Any]) -> str:
    """Write an inline TOML table; JSON's texts and numbers are TOML's."""
    parts = (
        f"{json.dumps(name)} = {_table(each) if isinstance(each, Mapping) else json.dumps(each)}"
        for name, each in value.items()
    )
    return "{ " + ", ".join(parts) + " }"
