"""The contract as it is published: the compiled document, plus what was defined at run time, with a strong ETag."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import orjson

from server.ports import DefinitionSource

Format = Literal["json", "yaml"]


class Document:
    """Serves openapi.json and openapi.yaml of a compiled contract, merged anew when the run-time definitions move."""

    def __init__(self, contract_dir: Path, definitions: DefinitionSource | None = None) -> None:
        self._contract_dir = contract_dir
        self._definitions = definitions
        self._kept: dict[Format, tuple[int, bytes, str]] = {}

    def get(self, format: Format) -> tuple[bytes, str]:
        """Return the document's bytes and their ETag."""
        generation = self._definitions.generation() if self._definitions is not None else 0
        kept = self._kept.get(format)
        if kept is None or kept[0] != generation:
            data = self._render(format, generation)
            kept = self._kept[format] = (generation, data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')
        return kept[1], kept[2]

    def _render(self, format: Format, generation: int) -> bytes:
        if format == "yaml" and not generation:
            return (self._contract_dir / "openapi.yaml").read_bytes()
        document = orjson.loads((self._contract_dir / "openapi.json").read_bytes())
        _add_samples(document, orjson.loads((self._contract_dir / "samples.json").read_bytes()))
        if self._definitions is not None and generation:
            _merge(document, self._definitions.load().bundle)
        return orjson.dumps(document)  # YAML 1.2 is a superset of JSON


_document: Document | None = None


def publish(contract_dir: Path, definitions: DefinitionSource | None = None) -> None:
    """Name the contract that `document` returns; called once by the application that serves it."""
    global _document
    _document = Document(contract_dir, definitions)


def document(format: Format) -> tuple[bytes, str]:
    """Return the published contract's bytes and their ETag.

    Raises:
        LookupError: no contract has been published in this process.
    """
    if _document is None:
        raise LookupError("no contract is published")
    return _document.get(format)


def _add_samples(document: dict[str, Any], samples: dict[str, list[dict[str, str]]]) -> None:
    """Give each operation its `x-codeSamples`; only readers need them, so the document that is validated by has none."""
    for item in document["paths"].values():
        for node in item.values():
            if isinstance(node, dict) and node.get("operationId") in samples:
                node["x-codeSamples"] = samples[node["operationId"]]


def _merge(document: dict[str, Any], addition: dict[str, Any]) -> None:
    document.setdefault("paths", {}).update(addition.get("paths", {}))
    components = document.setdefault("components", {})
    for section, members in addition.get("components", {}).items():
        components.setdefault(section, {}).update(members)
