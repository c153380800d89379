"""The shape of an OpenAPI document: which fields each kind of object has, and what kind stands in each.

One table serves the bundler (where a `$ref` is a reference and where it is data), the lint (a keyword that is in no
table is unknown) and the origins (which nodes deserve a line). It holds the union of 3.0, 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["one", "list", "map", "data"]


@dataclass(frozen=True)
class Slot:
    """What a field holds: one object, a list or a map of objects of `kind`, or plain data."""

    form: Form
    kind: str = ""


DATA = Slot("data")


def _data(*names: str) -> dict[str, Slot]:
    return dict.fromkeys(names, DATA)


def _one(**fields: str) -> dict[str, Slot]:
    return {name: Slot("one", kind) for name, kind in fields.items()}


METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

KINDS: dict[str, dict[str, Slot]] = {
    "root": {
        **_data("openapi", "$self", "jsonSchemaDialect", "security"),
        **_one(info="info", paths="paths", components="components", externalDocs="externalDocs"),
        "servers": Slot("list", "server"),
        "tags": Slot("list", "tag"),
        "webhooks": Slot("map", "pathItem"),
    },
    "info": {
        **_data("title", "summary", "description", "termsOfService", "version"),
        **_one(contact="contact", license="license"),
    },
    "contact": _data("name", "url", "email"),
    "license": _data("name", "identifier", "url"),
    "server": {**_data("url", "description", "name"), "variables": Slot("map", "serverVariable")},
    "serverVariable": _data("enum", "default", "description"),
    "tag": {**_data("name", "summary", "description", "parent", "kind"), **_one(externalDocs="externalDocs")},
    "externalDocs": _data("description", "url"),
    "components": {
        "schemas": Slot("map", "schema"),
        "responses": Slot("map", "response"),
        "parameters": Slot("map", "parameter"),
        "examples": Slot("map", "example"),
        "requestBodies": Slot("map", "requestBody"),
        "headers": Slot("map", "header"),
        "securitySchemes": Slot("map", "securityScheme"),
        "links": Slot("map", "link"),
        "callbacks": Slot("map", "callback"),
        "pathItems": Slot("map", "pathItem"),
        "mediaTypes": Slot("map", "mediaType"),
    },
    "paths": {},
    "pathItem": {
        **_data("summary", "description"),
        **{method: Slot("one", "operation") for method in METHODS},
        "additionalOperations": Slot("map", "operation"),
        "servers": Slot("list", "server"),
        "parameters": Slot("list", "parameter"),
    },
    "operation": {
        **_data("tags", "summary", "description", "operationId", "deprecated", "security"),
        **_one(externalDocs="externalDocs", requestBody="requestBody", responses="responses"),
        "parameters": Slot("list", "parameter"),
        "callbacks": Slot("map", "callback"),
        "servers": Slot("list", "server"),
    },
    "parameter": {
        **_data("name", "in", "description", "required", "deprecated", "allowEmptyValue"),
        **_data("style", "explode", "allowReserved", "example"),
        **_one(schema="schema"),
        "content": Slot("map", "mediaType"),
        "examples": Slot("map", "example"),
    },
    "header": {
        **_data("description", "required", "deprecated", "style", "explode", "example", "allowEmptyValue"),
        **_one(schema="schema"),
        "content": Slot("map", "mediaType"),
        "examples": Slot("map", "example"),
    },
    "requestBody": {**_data("description", "required"), "content": Slot("map", "mediaType")},
    "mediaType": {
        **_data("example"),
        **_one(schema="schema", itemSchema="schema", itemEncoding="encoding"),
        "x-sse": Slot("one", "sse"),
        "examples": Slot("map", "example"),
        "encoding": Slot("map", "encoding"),
        "prefixEncoding": Slot("list", "encoding"),
    },
    "sse": {"resumable": DATA, "start": DATA, "events": Slot("map", "schema")},
    "encoding": {
        **_data("contentType", "style", "explode", "allowReserved"),
        **_one(itemEncoding="encoding"),
        "headers": Slot("map", "header"),
        "encoding": Slot("map", "encoding"),
        "prefixEncoding": Slot("list", "encoding"),
    },
    "responses": {},
    "response": {
        **_data("summary", "description"),
        "x-sse": Slot("one", "sse"),
        "headers": Slot("map", "header"),
        "content": Slot("map", "mediaType"),
        "links": Slot("map", "link"),
    },
    "callback": {},
    "example": _data("summary", "description", "value", "externalValue", "dataValue", "serializedValue"),
    "link": {
        **_data("operationRef", "operationId", "parameters", "requestBody", "description"),
        **_one(server="server"),
    },
    "securityScheme": _data(
        "type",
        "description",
        "name",
        "in",
        "scheme",
        "bearerFormat",
        "flows",
        "openIdConnectUrl",
        "oauth2MetadataUrl",
        "deprecated",
    ),
    "schema": {
        **_data("type", "enum", "const", "title", "description", "default", "examples", "example", "format"),
        **_data("deprecated", "readOnly", "writeOnly", "nullable", "$comment"),
        **_data("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
        **_data("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems"),
        **_data("maxContains", "minContains", "maxProperties", "minProperties", "required", "dependentRequired"),
        **_data("contentEncoding", "contentMediaType"),
        **_data("$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary"),
        **{
            name: Slot("one", "schema")
            for name in (
                "additionalProperties",
                "items",
                "contains",
                "not",
                "if",
                "then",
                "else",
                "propertyNames",
                "unevaluatedItems",
                "unevaluatedProperties",
                "contentSchema",
            )
        },
        **{name: Slot("map", "schema") for name in ("properties", "patternProperties", "$defs", "dependentSchemas")},
        **{name: Slot("list", "schema") for name in ("allOf", "anyOf", "oneOf", "prefixItems")},
        **_one(discriminator="discriminator", xml="xml", externalDocs="externalDocs"),
    },
    "discriminator": _data("propertyName", "mapping", "defaultMapping"),
    "xml": _data("name", "namespace", "prefix", "attribute", "wrapped", "nodeType"),
}
"""Kind → field → what it holds."""

PATTERNED = {"paths": "pathItem", "responses": "response", "callback": "pathItem"}
"""Kinds whose own fields are names chosen by the author → the kind of each."""

SECTIONS = {slot.kind: section for section, slot in KINDS["components"].items() if slot.kind != "pathItem"}
"""Kind → section of `components` that a reference to it becomes; a kind without one is copied in place."""


def slot(kind: str, field: str) -> Slot | None:
    """Return what `field` of a `kind` holds; None when OpenAPI does not know it. Extensions are data."""
    known = KINDS[kind].get(field)
    if known is not None:
        return known
    if field.startswith("x-"):
        return DATA
    return Slot("one", PATTERNED[kind]) if kind in PATTERNED else None
