"""The bench contract in the two forms the stacks need: sources for our compiler, one 3.0.3 document for Connexion."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent / "contract"
_SHARED = Path(__file__).parents[2] / "spec" / "shared"
PACKAGE = "bench_models"
"""The generated package of the bench contract, in the folder it is compiled into."""
_FILLER_SHELVES = 15
_SHELF_PATHS = {
    "": {"get": "list", "post": "create"},
    "/{number}": {"get": "get", "put": "replace", "delete": "delete"},
    "/{number}/parts": {"get": "list_parts", "post": "create_part"},
    "/{number}/parts/{part}": {"get": "get_part", "put": "replace_part", "delete": "delete_part"},
}
_KEPT_FOR_CONNEXION = frozenset({"200", "201", "401", "422"})


def write_sources(folder: Path) -> Path:
    """Write the multi-file contract with its 150 filler operations into `folder` and return its root file."""
    shutil.copytree(_HERE, folder, dirs_exist_ok=True)
    shutil.copytree(_SHARED, folder / "shared", dirs_exist_ok=True)
    root = yaml.safe_load((folder / "openapi.yaml").read_text())
    for shelf in filler_shelves():
        items = _shelf(shelf)
        (folder / f"paths/bench/{shelf}.yaml").write_text(json.dumps(items, indent=1))
        for path in items:
            escaped = path.replace("~", "~0").replace("/", "~1")
            root["paths"][path] = {"$ref": f"paths/bench/{shelf}.yaml#/{escaped}"}
    (folder / "openapi.yaml").write_text(yaml.safe_dump(root, sort_keys=False))
    return folder / "openapi.yaml"


def filler_shelves() -> Iterator[str]:
    """Name the filler resources; each has ten operations."""
    for index in range(_FILLER_SHELVES):
        yield f"shelf_{chr(ord('a') + index)}"


def filler_paths() -> Iterator[tuple[str, str, str]]:
    """Give method, path and operationId of every filler operation."""
    for shelf in filler_shelves():
        for path, verbs in _SHELF_PATHS.items():
            for method, verb in verbs.items():
                yield method, f"/{shelf}{path}", f"{shelf}_{verb}"


def connexion_document(sources: Path, *, bearer_function: str) -> dict[str, Any]:
    """Return the contract as one OpenAPI 3.0.3 document, which is what Connexion 3 reads.

    `bearer_function` is named in x-bearerInfoFunc, as Connexion's documentation says.
    """
    document: dict[str, Any] = _older(_inlined(yaml.safe_load((sources / "openapi.yaml").read_text()), sources))
    document["openapi"] = "3.0.3"
    document["info"] = {"title": "Bench", "version": "1.0.0"}
    for operation in _operations(document):
        kept = {s: r for s, r in operation["responses"].items() if s in _KEPT_FOR_CONNEXION}
        for response in kept.values():
            del response["headers"]  # made by our server, not by handlers
        operation["responses"] = kept
    schemes = {"bearer": {"type": "http", "scheme": "bearer", "x-bearerInfoFunc": bearer_function}}
    document["components"] = {"securitySchemes": schemes}
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from (value for name, value in item.items() if not name.startswith("x-"))


def _shelf(shelf: str) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for method, path, operation_id in filler_paths():
        if path == f"/{shelf}" or path.startswith(f"/{shelf}/"):
            item = items.setdefault(path, {"x-error-style": "problem"})
            item[method] = _filler(operation_id, path)
    return items


def _filler(operation_id: str, path: str) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    brief = {"$ref": "../../schemas/bench/contacts.yaml#/ContactBrief"}
    example = {"value": {"number": 1, "given": "Ada", "is_trial": False}}
    errors = {"400": "BadRequest", "422": "Invalid", "429": "TooManyRequests", "500": "InternalError"}
    return {
        "operationId": operation_id,
        "tags": ["bench"],
        "summary": "Fill the router.",
        "description": "Never called.",
        "security": [],
        "x-public": "It is never called.",
        "parameters": [_number(name) for name in names],
        "responses": {
            "200": {
                "description": "An object.",
                "headers": {"X-Request-Id": {"$ref": "../../shared/headers.yaml#/RequestId"}},
                "content": {"application/json": {"schema": brief, "examples": {"one": example}}},
            }
        }
        | {status: {"$ref": f"../../shared/responses/problem.yaml#/{name}"} for status, name in errors.items()}
        | {"503": {"$ref": "../../shared/responses/problem.yaml#/Unavailable"}},
    }


def _number(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
    return {"name": name, "in": "path", "required": True, "description": "Any number.", "schema": schema}


def _inlined(node: Any, folder: Path) -> Any:
    """Replace every reference to a file by what it names; the bench contract has no cycles."""
    if isinstance(node, list):
        return [_inlined(item, folder) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {name: _inlined(value, folder) for name, value in node.items()}
    return _target(node["$ref"], folder)


def _target(reference: str, folder: Path) -> Any:
    file, _, pointer = reference.partition("#")
    document_file = (folder / file).resolve() if file else folder
    document, base = _DOCUMENTS.load(document_file)
    for part in pointer.strip("/").split("/") if pointer else []:
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return _inlined(document, base)


class _Documents:
    """Parsed files; a reference inside a file (`#/Name`) is resolved against that file, kept as its folder."""

    def __init__(self) -> None:
        self._parsed: dict[Path, Any] = {}

    def load(self, file: Path) -> tuple[Any, Path]:
        """Return a file's document, its own references made absolute, and the folder it is in."""
        if file not in self._parsed:
            self._parsed[file] = _absolute(yaml.safe_load(file.read_text()), file)
        return self._parsed[file], file.parent


_DOCUMENTS = _Documents()


def _absolute(node: Any, file: Path) -> Any:
    if isinstance(node, list):
        return [_absolute(item, file) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str) and reference.startswith("#"):
        return node | {"$ref": f"{file}{reference}"}
    return {name: _absolute(value, file) for name, value in node.items()}


def _older(node: Any) -> Any:
    """Say with OpenAPI 3.0 what 3.1 says with a list of types."""
    if isinstance(node, list):
        return [_older(item) for item in node]
    if not isinstance(node, dict):
        return node
    older = {name: _older(value) for name, value in node.items()}
    if isinstance(types := older.get("type"), list):
        older["type"] = next(name for name in types if name != "null")
        older["nullable"] = "null" in types
    return older
