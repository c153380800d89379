"""What OpenAPI knows and this server does not enforce is refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape

RULE = "unsupported_keywords"
_ANCHORS = "point to the schema with a $ref; ids and anchors are not followed"
REFUSED = {
    "schema": {
        "$schema": "remove it; the dialect is OpenAPI 3.1's",
        "$vocabulary": "remove it; the dialect is OpenAPI 3.1's",
        "$id": _ANCHORS,
        "$anchor": _ANCHORS,
        "$dynamicRef": _ANCHORS,
        "$dynamicAnchor": _ANCHORS,
        "nullable": 'write `type: [string, "null"]`; nullable is OpenAPI 3.0',
        "readOnly": "write one schema for requests and one for responses; nothing enforces readOnly",
        "writeOnly": "write one schema for requests and one for responses; nothing enforces writeOnly",
        "xml": "remove it; bodies are JSON",
        "example": "write `examples: […]`; example is OpenAPI 3.0",
        "contentEncoding": "write a pattern for the text instead; contentEncoding is not checked",
    },
    "parameter": {
        "allowReserved": "remove it; reserved characters are always accepted percent-encoded",
        "allowEmptyValue": "write `minLength: 0` in the schema; allowEmptyValue is deprecated",
    },
    "header": {
        "allowEmptyValue": "remove it; it belongs to query parameters",
        "explode": "remove it; headers are not split",
    },
    "encoding": {
        "headers": "remove them; headers of parts are not checked",
        "allowReserved": "remove it; reserved characters are always accepted percent-encoded",
        "encoding": "describe nested parts as a JSON part",
        "prefixEncoding": "name the parts; positional parts are not read",
        "itemEncoding": "name the parts; positional parts are not read",
    },
    "mediaType": {
        "itemSchema": "describe one event as an object {event, id, data} in `schema` and name the events in x-sse",
        "prefixEncoding": "name the parts; positional parts are not read",
        "itemEncoding": "name the parts; positional parts are not read",
    },
    "pathItem": {
        "servers": "write the prefix into the path",
        "head": "remove it; HEAD is answered as GET without its body",
        "options": "remove it; OPTIONS is not served",
        "trace": "remove it; TRACE is not served",
        "query": "write a POST; the method QUERY is not served",
        "additionalOperations": "use get, put, post, patch or delete; other methods are not served",
    },
    "operation": {
        "callbacks": "describe what the other side serves in a contract of its own; callbacks are not sent",
        "servers": "write the prefix into the path",
    },
    "root": {
        "webhooks": "describe what the other side serves in a contract of its own; webhooks are not sent",
        "$self": "remove it; the document's address is where it is served",
    },
    "server": {"variables": "write the URL out"},
    "example": {
        "externalValue": "write the value here, so that it can be validated",
        "dataValue": "write `value`",
        "serializedValue": "write `value`",
    },
    "link": {"server": "remove it; links stay on this server", "operationRef": "write operationId"},
    "discriminator": {"defaultMapping": "map every tag; an unknown one is refused"},
}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield every field whose meaning would be lost."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        for field, fix in REFUSED.get(kind, {}).items():
            if isinstance(node, dict) and field in node:
                yield Finding(RULE, bundle.locate(f"{pointer}/{escape(field)}"), f"{field}: {fix}")
    for index, server in enumerate(contract.root.get("servers", [])):
        if server.get("url") != "/":
            place = bundle.locate(f"/servers/{index}")
            yield Finding(
                RULE, place, "write `url: /` and the prefix into the paths; the server serves the paths as written"
            )
