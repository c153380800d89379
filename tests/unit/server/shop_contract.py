"""A small contract, built by hand, whose operations use every feature of the pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.kernel.operation import (
    Body,
    Contract,
    ErrorStyle,
    Header,
    Media,
    Operation,
    Parameter,
    Part,
    Requirement,
    Response,
    Scheme,
    StylePrefix,
)

HERE = "tests.unit.server.shop_contract"


class ItemCreate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    price: int = 0
    note: str | None = None
    tags: list[str] = []
    kind: str = "a"


class Item(msgspec.Struct, kw_only=True):
    id: int
    name: str
    price: int


class ItemQuery(msgspec.Struct, kw_only=True):
    n: int | None = None
    ratio: float | None = None
    flag: bool | None = None
    tag: list[str] | None = None
    ids: list[int] | None = None
    piped: list[str] | None = None
    spaced: list[str] | None = None
    deep: dict[str, Any] | None = None
    spread: dict[str, Any] | None = None
    json_value: Any = None
    choice: str | None = None
    maybe: int | None = None
    page: int = 1


class ItemPath(msgspec.Struct, kw_only=True):
    id: int


class Carried(msgspec.Struct, kw_only=True):
    x_n: int | None = None
    x_flag: bool | None = None
    x_list: list[int] | None = None
    c: int | None = None


def _object(required: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


_TEXT = {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[^\\x00]*$"}
SCHEMAS: dict[str, Any] = {
    "shop.ItemCreate": _object(
        ["name"],
        name=_TEXT,
        price={"type": "integer", "minimum": 0, "exclusiveMaximum": 1000},
        note={"type": ["string", "null"], "maxLength": 20},
        tags={"type": "array", "maxItems": 3, "uniqueItems": True, "items": {"$ref": "#/components/schemas/shop.Tag"}},
        kind={"const": "a"},
    ),
    "shop.Tag": {"type": "string", "maxLength": 5},
    "shop.LongTag": {"$ref": "#/components/schemas/shop.Tag", "minLength": 3},
    "shop.Tuple": {"type": "array", "prefixItems": [{"type": "integer"}], "items": False},
    "shop.Tree": _object(below={"type": "array", "items": {"$ref": "#/components/schemas/shop.Tree"}}),
    "shop.Uuid": {"type": "string", "format": "uuid"},
    "shop.Item": _object(["id", "name", "price"], id={"type": "integer"}, name=_TEXT, price={"type": "integer"}),
    "shop.Form": _object(
        ["name"],
        name=_TEXT,
        count={"type": "integer"},
        tags={"type": "array", "items": {"type": "string"}},
        meta={"type": "object"},
        file={"type": "string", "maxLength": 10},
    ),
    "shop.Problem": {"type": "object", "required": ["type", "title", "status", "code", "instance"]},
    "shop.Workflow": {"type": "object", "required": ["success", "status_code", "data", "error"]},
    "integer": {"type": "integer", "minimum": -9_000_000_000_000_000_000, "maximum": 9_000_000_000_000_000_000},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string", "maxLength": 50},
    "strings": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "integers": {"type": "array", "items": {"type": "integer"}},
    "deep": _object(a={"type": "integer"}, b={"type": "string"}),
    "enum": {"enum": ["a", "b"]},
    "maybe": {"type": ["integer", "null"]},
    "any": {},
    "etag": {"type": "string", "pattern": '^"'},
}


def ref(name: str) -> str:
    return f"#/components/schemas/{name}"


def _media(schema: str | None, **more: Any) -> tuple[Media, ...]:
    return (Media(content_type="application/json", schema=ref(schema) if schema else None, **more),)


def _query(name: str, schema: str, **more: Any) -> Parameter:
    return Parameter(
        name=name, field=more.pop("field", name), location="query", schema=ref(schema), origin="shop.yaml:7", **more
    )


def _carried(name: str, location: Any, schema: str, **more: Any) -> Parameter:
    field = name.lower().replace("-", "_")
    return Parameter(
        name=name, field=field, location=location, schema=ref(schema), origin="shop.yaml:9", style="simple", **more
    )


_ID = Parameter(
    name="id",
    field="id",
    location="path",
    schema=ref("integer"),
    origin="shop.yaml:3",
    required=True,
    style="simple",
    explode=False,
    shapes=("integer",),
)
_QUERY = (
    _query("n", "integer", shapes=("integer",)),
    _query("ratio", "number", shapes=("number",)),
    _query("flag", "boolean", shapes=("boolean",)),
    _query("tag", "strings", is_array=True, item_shapes=("string",)),
    _query("ids", "integers", is_array=True, item_shapes=("integer",), explode=False),
    _query("piped", "strings", is_array=True, item_shapes=("string",), explode=False, style="pipeDelimited"),
    _query("spaced", "strings", is_array=True, item_shapes=("string",), explode=False, style="spaceDelimited"),
    _query("deep", "deep", is_object=True, style="deepObject", properties={"a": ("integer",), "b": ("string",)}),
    _query("spread", "deep", is_object=True, properties={"a": ("integer",), "b": ("string",)}),
    _query("json", "deep", field="json_value", content="application/json"),
    _query("choice", "enum", shapes=("string",)),
    _query("maybe", "maybe", shapes=("integer", "null")),
    _query("page", "integer", shapes=("integer",), default=1, has_default=True),
)
BOTH = (
    Requirement(schemes=("session", "csrf"), scopes=()),
    Requirement(schemes=("bearer",), scopes=()),
)


def _errors(style: str) -> tuple[Response, ...]:
    schema, content_type = {
        "problem": ("shop.Problem", "application/problem+json"),
        "workflow": ("shop.Workflow", "application/json"),
    }[style]
    media = (Media(content_type=content_type, schema=ref(schema)),)
    statuses = (400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503)
    return tuple(Response(status=status, origin="errors.yaml:1", media=media) for status in statuses)


def operation(id: str, method: str, path: str, *success: Response, style: str = "problem", **more: Any) -> Operation:
    return Operation(
        id=id,
        method=method,
        path=path,
        area="shop",
        resource=id.partition("_")[0],
        origin=f"shop.yaml:{len(id)}",
        summary=id,
        error_style=style,
        responses=(*success, *_errors(style)),
        **more,
    )


def _ok(schema: str | None, status: int = 200, **more: Any) -> Response:
    return Response(status=status, origin="shop.yaml:20", media=_media(schema), **more)


_BODY = Body(media=_media("shop.ItemCreate", type=f"{HERE}:ItemCreate"), required=True, origin="shop.yaml:11")
_FORM_PARTS = (
    Part(name="name", shapes=("string",)),
    Part(name="count", shapes=("integer",)),
    Part(name="tags", is_array=True, item_shapes=("string",)),
    Part(name="meta", content_types=("application/json",)),
    Part(name="file", is_binary=True),
)
_FORM = Body(
    media=(
        Media(content_type="application/x-www-form-urlencoded", schema=ref("shop.Form"), parts=_FORM_PARTS),
        Media(content_type="multipart/form-data", schema=ref("shop.Form"), parts=_FORM_PARTS),
    ),
    required=True,
    origin="shop.yaml:13",
)


def _json_body(schema: str, *, required: bool = True) -> Body:
    return Body(media=_media(schema), required=required, origin="shop.yaml:15")


OPERATIONS = (
    operation(
        "items_create",
        "POST",
        "/items",
        _ok("shop.Item", 201),
        body=_BODY,
        security=BOTH,
        is_idempotent=True,
        rate_profile="default",
        max_body_bytes=20_000,
    ),
    operation("items_list", "GET", "/items", _ok("any"), parameters=_QUERY, parameters_type=f"{HERE}:ItemQuery"),
    operation(
        "items_get",
        "GET",
        "/items/{id}",
        _ok("shop.Item", headers=(Header(name="ETag", schema=ref("etag"), required=True),)),
        Response(status=304, origin="shop.yaml:21"),
        parameters=(_ID,),
        parameters_type=f"{HERE}:ItemPath",
        etag_of="items_get",
    ),
    operation(
        "items_replace",
        "PUT",
        "/items/{id}",
        _ok("shop.Item"),
        parameters=(_ID,),
        parameters_type=f"{HERE}:ItemPath",
        body=_BODY,
        etag_of="items_get",
    ),
    operation("items_delete", "DELETE", "/items/{id}", Response(status=204, origin="shop.yaml:22"), parameters=(_ID,)),
    operation(
        "carried_get",
        "GET",
        "/carried",
        _ok("any"),
        parameters=(
            _carried("X-N", "header", "integer", shapes=("integer",)),
            _carried("X-Flag", "header", "boolean", shapes=("boolean",)),
            _carried("X-List", "header", "integers", is_array=True, item_shapes=("integer",)),
            _carried("c", "cookie", "integer", shapes=("integer",)),
        ),
        parameters_type=f"{HERE}:Carried",
    ),
    operation(
        "names_get",
        "GET",
        "/names/{name}",
        _ok("any"),
        parameters=(msgspec.structs.replace(_ID, name="name", field="name", schema=ref("string"), shapes=("string",)),),
        security=BOTH,
    ),
    operation("forms_send", "POST", "/forms", _ok("any"), body=_FORM),
    operation("tuples_send", "POST", "/tuples", _ok("any"), body=_json_body("shop.Tuple")),
    operation("tags_send", "POST", "/tags", _ok("any"), body=_json_body("shop.LongTag")),
    operation("trees_send", "POST", "/trees", _ok("any"), body=_json_body("shop.Tree")),
    operation("uuids_send", "POST", "/uuids", _ok("any"), body=_json_body("shop.Uuid")),
    operation("anything_send", "POST", "/anything", _ok("any"), body=_json_body("any", required=False)),
    operation(
        "answers_break",
        "POST",
        "/answers/{name}",
        _ok("shop.Item", headers=(Header(name="X-Count", schema=ref("integer"), required=True),)),
        parameters=(msgspec.structs.replace(_ID, name="name", field="name", schema=ref("string"), shapes=("string",)),),
        is_idempotent=True,
    ),
    operation(
        "failures_get",
        "GET",
        "/failures/{name}",
        _ok("any"),
        parameters=(msgspec.structs.replace(_ID, name="name", field="name", schema=ref("string"), shapes=("string",)),),
    ),
    operation(
        "texts_get",
        "GET",
        "/text",
        Response(status=200, origin="shop.yaml:30", media=(Media(content_type="text/plain"),)),
    ),
    operation(
        "secrets_get",
        "GET",
        "/scoped/{name}",
        _ok("any"),
        parameters=(msgspec.structs.replace(_ID, name="name", field="name", schema=ref("string"), shapes=("string",)),),
        security=(Requirement(schemes=("bearer",), scopes=("{name}:read",)),),
        is_deprecated=True,
        deprecated_at="2026-01-31",
        sunset="2036-12-31",
    ),
    operation(
        "feeds_open",
        "POST",
        "/feed",
        Response(status=200, origin="shop.yaml:31", media=(Media(content_type="text/event-stream"),)),
        is_idempotent=True,
    ),
    operation(
        "records_get",
        "GET",
        "/{model}",
        _ok("any"),
        style="workflow",
        is_catch_all=True,
        parameters=(
            msgspec.structs.replace(_ID, name="model", field="model", schema=ref("string"), shapes=("string",)),
        ),
    ),
    operation("later_get", "GET", "/later", _ok("any")),
)
CONTRACT = Contract(
    title="Shop",
    version="1",
    fingerprint="0" * 64,
    schemes=(
        Scheme(name="session", kind="cookie", parameter="SESSION_ID"),
        Scheme(name="csrf", kind="header", parameter="X-CSRF-TOKEN"),
        Scheme(name="bearer", kind="bearer", parameter="Authorization"),
    ),
    styles={
        "problem": ErrorStyle(
            format="problem",
            content_type="application/problem+json",
            invalid_status=422,
            codes={"not_found": "SHOP.NOT_FOUND"},
        ),
        "workflow": ErrorStyle(format="workflow", content_type="application/json", invalid_status=400),
    },
    style_prefixes=(StylePrefix(prefix="/", style="problem"), StylePrefix(prefix="/flow/", style="workflow")),
    operations=OPERATIONS,
)


def write(folder: Path, contract: Contract) -> None:
    """Lay down what the server reads beside the operation table."""
    bundle = {"openapi": "3.1.0", "components": {"schemas": SCHEMAS}}
    (folder / "openapi.json").write_text(json.dumps(bundle))
    origins = {"/components/schemas/shop.ItemCreate/properties/name/minLength": "shop.yaml:40:7"}
    (folder / "origins.json").write_text(json.dumps(origins))
    (folder / "routes.json").write_text(json.dumps(skeleton(contract)))


def skeleton(contract: Contract) -> dict[str, Any]:
    """Return the 3.0.3 document that Connexion routes by."""
    paths: dict[str, Any] = {}
    for row in contract.operations:
        parameters = [
            {"name": parameter.name, "in": "path", "required": True, "schema": {"type": "string"}}
            for parameter in row.parameters
            if parameter.location == "path"
        ]
        responses = {"default": {"description": ""}}
        entry = {"operationId": row.id, "parameters": parameters, "responses": responses}
        paths.setdefault(row.path, {})[row.method.lower()] = entry
    return {"openapi": "3.0.3", "info": {"title": contract.title, "version": "1"}, "paths": paths}
