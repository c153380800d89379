"""PostgreSQL's text holds no NUL: the contract lets none into what is stored, so that both databases take the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema

from tests.oracle import Operation, Oracle

# Where a NUL may come in, and why it does no harm.
TAKEN = {
    "asset_auth_set_password /newPassword": "hashed, never stored",
    "asset_auth_set_password /confirmPassword": "compared, never stored",
    "completions_create /messages/*/content/*/type": "kept as JSON, in bytes",
    "completions_create /messages/*/tool_calls/*/type": "kept as JSON, in bytes",
    "completions_create /tools/*/type": "kept as JSON, in bytes",
}
_MEMBERS = ("properties", "patternProperties")
_PARTS = ("anyOf", "oneOf", "allOf", "prefixItems")


def _texts(
    oracle: Oracle, schema: dict[str, Any], place: str, above: tuple[int, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield every schema of texts in a schema, with its place in the value."""
    schema = oracle.resolve(schema)
    if id(schema) in above:
        return
    above = (*above, id(schema))
    if "string" in schema.get("type", ()) and not {"enum", "const"} & set(schema):
        yield place, schema
    for keyword in _MEMBERS:
        for name, member in schema.get(keyword, {}).items():
            yield from _texts(oracle, member, f"{place}/{name}", above)
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            yield from _texts(oracle, schema[keyword], f"{place}/*", above)
    for keyword in _PARTS:
        for part in schema.get(keyword, ()):
            yield from _texts(oracle, part, place, above)


def _asked(oracle: Oracle, operation: Operation) -> Iterator[tuple[str, Any]]:
    """Yield the texts of a request; headers and cookies carry no NUL (tests/unit/server/test_worker.py)."""
    for parameter in map(
        oracle.resolve, [*operation.item.get("parameters", ()), *operation.spec.get("parameters", ())]
    ):
        if parameter["in"] in {"path", "query"} and "schema" in parameter:
            yield from _texts(oracle, parameter["schema"], f"{parameter['in']} {parameter['name']}")
    body = oracle.resolve(operation.spec.get("requestBody", {}))
    for media in body.get("content", {}).values():
        yield from _texts(oracle, media["schema"], "")


def _takes_nul(schema: dict[str, Any]) -> bool:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 100)
    letters = "a" * max(least - 1, 0)
    tried = [f"{letters}\0", f"\0{letters}", f"a\0{letters}", f"{letters}\0a", f" \0{letters}"]
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return any(len(text) <= most and validator.is_valid(text) for text in tried)


def test_no_text_that_is_stored_may_hold_a_nul(oracle: Oracle) -> None:
    looked_at = [
        (f"{operation.id} {place}", schema)
        for operation in oracle.operations.values()
        for place, schema in _asked(oracle, operation)
    ]
    assert len(looked_at) > 100
    taken = {name for name, schema in looked_at if _takes_nul(schema)}
    assert taken == set(TAKEN), "write a pattern such as '^[^\\x00]*$', or say in TAKEN why a NUL does no harm"
