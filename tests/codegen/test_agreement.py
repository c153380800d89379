"""What the schema accepts, the type accepts: jsonschema-rs decides, the typed decode may only follow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from types import ModuleType
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest

from codegen.bundle import bundle
from codegen.emit import types
from codegen.emit.shapes import Shaper
from codegen.load import Sources
from codegen.locate import Json
from server.convert import converter

MODULE = "agreement_types"
ID = "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34"
BIG = 2**63
Row = tuple[str, Json, Json, Any]

# name, schema, a value that it accepts, what the handler is given
ACCEPTED: list[Row] = [
    ("integer written 1.0", {"type": "integer", "minimum": 1, "maximum": 1}, 1.0, 1),
    (
        "open object keeps what it does not name",
        {"type": "object", "x-freeform": "why", "properties": {"a": {"type": "string"}}},
        {"a": "1", "b": {"c": 1.0}},
        {"a": "1", "b": {"c": 1.0}},
    ),
    (
        "members named by a pattern",
        {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^x-": {"type": "integer"}},
            "properties": {"a": {}},
        },
        {"a": 1, "x-b": 2},
        {"a": 1, "x-b": 2},
    ),
    (
        "members named by a condition",
        {
            "type": "object",
            "properties": {"a": {}},
            "if": {"required": ["a"]},
            "then": {"properties": {"b": {}}},
            "unevaluatedProperties": False,
        },
        {"a": 1, "b": 2},
        {"a": 1, "b": 2},
    ),
    (
        "members named by what depends on another",
        {
            "type": "object",
            "properties": {"a": {}},
            "dependentSchemas": {"a": {"properties": {"b": {}}}},
            "unevaluatedProperties": False,
        },
        {"a": 1, "b": 2},
        {"a": 1, "b": 2},
    ),
    (
        "an open part keeps what no part names",
        {"allOf": [{"type": "object", "x-freeform": "why", "properties": {"a": {}}}, {"properties": {"b": {}}}]},
        {"a": 1, "b": 2, "c": 3},
        {"a": 1, "b": 2, "c": 3},
    ),
    (
        "an open object whose other members have a type",
        {
            "type": "object",
            "x-freeform": "why",
            "properties": {"a": {"type": "string"}},
            "additionalProperties": {"type": "integer"},
        },
        {"a": "1", "b": 2},
        {"a": "1", "b": 2},
    ),
    (
        "a part that may be null",
        {"allOf": [{"type": ["object", "null"]}, {"type": "object", "properties": {"a": {}}}]},
        {"a": 1},
        {"a": 1},
    ),
    ("integer of 64 bits", {"type": "integer"}, BIG - 1, BIG - 1),
    ("integer beyond 64 bits", {"type": "integer"}, BIG * 4, BIG * 4),
    ("integer written 1e3", {"type": "integer"}, 1e3, 1000),
    ("integer written 1e18", {"type": "integer", "maximum": BIG - 1}, 1e18, 10**18),
    ("number without fraction", {"type": "number"}, 3, 3.0),
    ("nullable integer as 2.0", {"type": ["integer", "null"]}, 2.0, 2),
    ("enum of numbers", {"enum": [1, 2]}, 1.0, 1.0),
    ("constant number", {"const": 1}, 1.0, 1.0),
    ("constant false", {"const": False}, False, False),
    ("constant null", {"const": None}, None, None),
    ("text or number given text of digits", {"type": ["integer", "string"]}, "5", "5"),
    ("text or number given a number", {"type": ["integer", "string"]}, 5, 5),
    ("text or null given the text null", {"type": ["string", "null"]}, "null", "null"),
    ("text or boolean given the text true", {"type": ["string", "boolean"]}, "true", "true"),
    ("text or number by anyOf", {"anyOf": [{"type": "string"}, {"type": "number"}]}, "0.5", "0.5"),
    (
        "length in code points",
        {"type": "string", "minLength": 2, "maxLength": 2},
        "\U0001f600\U0001f600",
        "\U0001f600" * 2,
    ),
    ("length of a combined letter", {"type": "string", "maxLength": 2}, "e\u0301", "e\u0301"),
    ("ECMA \\d is ASCII", {"type": "string", "pattern": r"^\d$"}, "5", "5"),
    ("ECMA unicode property", {"type": "string", "pattern": r"^\p{Lu}$"}, "Ä", "Ä"),
    ("ECMA escape in a class", {"type": "string", "pattern": r"^[\w-]+$"}, "a-b", "a-b"),
    ("ECMA \\u escape", {"type": "string", "pattern": r"^\u00e4$"}, "ä", "ä"),
    ("pattern without anchors", {"type": "string", "pattern": r"\S"}, " x ", " x "),
    ("multipleOf a decimal", {"type": "number", "multipleOf": 0.01}, 0.29, 0.29),
    ("uuid", {"type": "string", "format": "uuid"}, ID, UUID(ID)),
    ("uuid in capitals", {"type": "string", "format": "uuid"}, ID.upper(), UUID(ID)),
    ("date", {"type": "string", "format": "date"}, "2024-02-29", date(2024, 2, 29)),
    (
        "instant",
        {"type": "string", "format": "date-time"},
        "2026-01-02T03:04:05Z",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ),
    (
        "instant in small letters",
        {"type": "string", "format": "date-time"},
        "2026-01-02t03:04:05z",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ),
    (
        "instant with offset and nanoseconds",
        {"type": "string", "format": "date-time"},
        "2026-01-02T03:04:05.123456789-05:30",
        datetime(2026, 1, 2, 3, 4, 5, 123457, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
    ),
    ("time stays text", {"type": "string", "format": "time"}, "03:04:05Z", "03:04:05Z"),
    ("duration stays text", {"type": "string", "format": "duration"}, "P1M", "P1M"),
    ("address stays text", {"type": "string", "format": "ipv4"}, "127.0.0.1", "127.0.0.1"),
    ("e-mail stays text", {"type": "string", "format": "email"}, "ada@example.org", "ada@example.org"),
    ("enum of text", {"enum": ["a", "b"]}, "b", "b"),
    ("enum of text and null", {"enum": ["a", None]}, None, None),
    ("enum of mixed kinds", {"enum": ["a", 1]}, 1.0, 1.0),
    ("anything", {}, {"a": [1, None]}, {"a": [1, None]}),
    ("true", True, [1], [1]),
    ("list of integers", {"type": "array", "items": {"type": "integer"}}, [1.0, 2], [1, 2]),
    ("tuple", {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, [1, "a"], [1, "a"]),
    ("map of lists", {"type": "object", "additionalProperties": {"type": "array"}}, {"a": [1]}, {"a": [1]}),
    ("open object without members", {"type": "object"}, {"a": 1}, {"a": 1}),
    ("conditional", {"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"b": 1}, {"b": 1}),
    ("unlike arrays", {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array"}]}, [1], [1]),
    ("date or another text", {"anyOf": [{"type": "string", "format": "date"}, {"enum": ["never"]}]}, "never", "never"),
    ("format in one branch", {"type": "string", "anyOf": [{"format": "uuid"}, {"maxLength": 3}]}, "abc", "abc"),
    ("a constant beside a type", {"type": "string", "const": "x"}, "x", "x"),
]

# name, schema, a value that it refuses: the type alone would take it or take it as something else
REFUSED: list[tuple[str, Json, Json]] = [
    ("text for an integer", {"type": "integer"}, "5"),
    ("boolean for an integer", {"type": "integer"}, True),
    ("fraction for an integer", {"type": "integer"}, 1.5),
    ("uuid without dashes", {"type": "string", "format": "uuid"}, ID.replace("-", "")),
    ("date-time without zone", {"type": "string", "format": "date-time"}, "2026-01-02T03:04:05"),
    ("date-time with a space", {"type": "string", "format": "date-time"}, "2026-01-02 03:04:05Z"),
    ("date-time as a number", {"type": "string", "format": "date-time"}, 1767323045),
    ("29 February of no leap year", {"type": "string", "format": "date"}, "2023-02-29"),
    ("Arabic digits for \\d", {"type": "string", "pattern": r"^\d$"}, "\u0665"),
    ("newline behind $", {"type": "string", "pattern": "^a$"}, "a\n"),
    ("two code units, one code point", {"type": "string", "minLength": 2}, "\U0001f600"),
    ("equal items", {"type": "array", "uniqueItems": True}, [1, 1.0]),
    ("e-mail", {"type": "string", "format": "email"}, "nope"),
    ("not a multiple", {"type": "number", "multipleOf": 0.01}, 0.295),
]


@pytest.fixture(scope="module")
def kinds() -> Iterator[ModuleType]:
    """Give one generated module with a class {value: schema} for each row."""
    schemas = {
        f"types.R{number}": {"type": "object", "required": ["value"], "properties": {"value": row[1]}}
        for number, row in enumerate(ACCEPTED)
    }
    document = {"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"schemas": schemas}}
    joined = bundle(Sources.of_text(msgspec.json.encode(document).decode()))
    shapes = types.areas(Shaper(joined).shapes)["types"]
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module
    exec(types.module_text("types", shapes), module.__dict__)
    yield module
    del sys.modules[MODULE]


def _is_valid(schema: Json, value: Json) -> bool:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid(value)


@pytest.mark.parametrize(("number", "row"), list(enumerate(ACCEPTED)), ids=[row[0] for row in ACCEPTED])
def test_the_type_takes_what_the_schema_accepts(kinds: ModuleType, number: int, row: Row) -> None:
    _, schema, value, expected = row
    assert _is_valid(schema, value)
    decoded = converter(f"{kinds.__name__}:R{number}")({"value": value})
    assert decoded.value == expected
    assert type(decoded.value) is type(expected)


@pytest.mark.parametrize(("name", "schema", "value"), REFUSED, ids=[row[0] for row in REFUSED])
def test_the_schema_refuses_what_a_lax_type_would_take(name: str, schema: Json, value: Json) -> None:
    assert not _is_valid(schema, value)
