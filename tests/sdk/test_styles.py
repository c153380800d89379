"""What the Python client writes into a query, the server reads: every style, with items that look like its separators."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from codegen.bundle import bundle
from codegen.emit import documents
from codegen.load import Sources
from codegen.pipeline import compile_text
from codegen.sdk.python.runtime import styles
from codegen.sdk.python.runtime.wire import Parameter
from server.parameters import compile_parameters
from server.request import Request
from server.schemas import Schemas
from tests.codegen.test_invalid import VALID

TEXT = {"type": "string", "maxLength": 100}
LIST = {"type": "array", "maxItems": 9, "items": TEXT}
OBJECT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"s": TEXT, "i": {"type": "integer", "minimum": 0, "maximum": 9}, "b": {"type": "boolean"}},
}
TEXTS = [
    "a",
    "a,b",
    "a b",
    "a|b",
    "\u00e4%",
    "&=",
    "+",
    "null",
    "1",
    "true",
    "a%2Cb",
    "[x]",
    "\U0001f600",
    "a/b?c#d",
    "'\"",
]
LISTS = [list(pair) for pair in itertools.product(TEXTS, repeat=2)]
OBJECTS = [{"s": text, "i": 1, "b": True} for text in TEXTS]
ROWS = [
    ("form", True, TEXT, TEXTS),
    ("form", True, LIST, LISTS),
    ("form", False, LIST, LISTS),
    ("spaceDelimited", False, LIST, [row for row in LISTS if " " not in "".join(row)]),
    ("pipeDelimited", False, LIST, [row for row in LISTS if "|" not in "".join(row)]),
    ("form", True, OBJECT, OBJECTS),
    ("form", False, OBJECT, OBJECTS),
    ("deepObject", True, OBJECT, OBJECTS),
]


def _reader(style: str, explode: bool, schema: dict[str, Any]) -> Callable[[str], Any]:
    """Compile an operation with one such parameter, and return what reads its value from a query."""
    data = yaml.safe_load(documents.as_yaml(bundle(Sources(VALID, "openapi.yaml")).document))
    row = {"name": "f", "in": "query", "style": style, "explode": explode, "schema": schema}
    data["paths"]["/items"]["get"]["parameters"].append(row)
    compiled = compile_text(documents.as_yaml(data))
    operation = next(found for found in compiled.contract.operations if found.id == "items_list")
    decode = compile_parameters(operation, Schemas(compiled.bundle.document))
    return lambda query: decode(
        Request({"QUERY_STRING": query, "REQUEST_METHOD": "GET", "PATH_INFO": "/items"}, "127.0.0.1", False), ()
    )["f"]


@pytest.mark.parametrize(("style", "explode", "schema", "values"), ROWS)
def test_the_server_reads_what_the_client_writes(
    style: str, explode: bool, schema: dict[str, Any], values: list[Any]
) -> None:
    read = _reader(style, explode, schema)
    parameter = Parameter("f", "f", "query", style, explode)
    assert [read("&".join(styles.pairs(parameter, value))) for value in values] == values


@pytest.mark.parametrize(
    ("location", "style", "value"),
    [
        ("query", "spaceDelimited", ["a b"]),
        ("query", "pipeDelimited", ["a|b"]),
        ("header", "simple", ["a,b"]),
        ("path", "simple", ["a,b"]),
    ],
)
def test_an_item_that_would_be_read_as_two_is_refused(location: Any, style: str, value: list[str]) -> None:
    write = styles.pairs if location == "query" else styles.joined
    with pytest.raises(ValueError, match="separates the items"):
        write(Parameter("f", "f", location, style, False), value)
