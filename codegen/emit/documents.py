"""Writes the data files: operation table, bundled contract, origins, and the routing skeleton."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml

from codegen import ir
from codegen.bundle import Bundle
from core.kernel.operation import Contract

_ORIGIN_KINDS = {"schema", "operation", "parameter", "header", "requestBody", "response", "mediaType"}


def as_json(value: Any) -> str:
    """Return readable, byte-stable JSON; members keep the order the contract gives them."""
    return json.dumps(value, indent=1, ensure_ascii=False, separators=(",", ": ")) + "\n"


def operations_json(contract: Contract) -> str:
    """Return the operation table."""
    return msgspec.json.format(msgspec.json.encode(contract), indent=1).decode() + "\n"


def as_yaml(value: Any) -> str:
    """Return readable, byte-stable YAML; members keep the order the contract gives them."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False
    )
    return text


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]  # a base chosen at import
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Write lines as lines, so that a program in the contract reads as one."""
        node: yaml.ScalarNode = self.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        )
        return node


_Dumper.add_representer(str, _Dumper.represent_text)


def origins_json(bundle: Bundle) -> str:
    """Return pointer → "file:line:column" for every schema keyword and every part of an operation."""
    rows = []
    for pointer in sorted(bundle.origins):
        if bundle.kinds.get(pointer) in _ORIGIN_KINDS or bundle.kinds.get(pointer.rpartition("/")[0]) == "schema":
            rows.append(f"{json.dumps(pointer)}:{json.dumps(str(bundle.locate(pointer)))}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


def routes_json(contract: ir.Contract) -> str:
    """Return an OpenAPI 3.0.3 document with paths, operationIds and path parameters (all strings) and nothing else.

    A router that knows 3.0 only can load it; values are judged by the compiled contract.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in contract.operations:
        names = [p.name for p in operation.parameters if p.location == "path"]
        paths.setdefault(operation.path, {})[operation.method.lower()] = {
            "operationId": operation.id,
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
            ],
            "responses": {"default": {"description": ""}},
        }
    info = {"title": contract.root["info"]["title"], "version": str(contract.root["info"]["version"])}
    return as_json({"openapi": "3.0.3", "info": info, "paths": paths})
