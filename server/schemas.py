"""The contract's validators: jsonschema-rs over the raw bundle, compiled when first needed, with file:line of every clause."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import orjson

from core.kernel.problems import Violation

_URI = "urn:contract"
_MESSAGE_MAX = 1000
_POINTER_MAX = 4096
ERRORS_MAX = 1000


class Schemas:
    """Validators by schema pointer.

    origins: JSON pointer → "file:line:column", read on the first violation from `origins_file`.
    """

    def __init__(self, bundle: dict[str, Any], origins_file: Path | None = None) -> None:
        self._registry = jsonschema_rs.Registry([(_URI, bundle)], draft=jsonschema_rs.Draft202012)
        self._origins_file = origins_file
        self._origins: Mapping[str, str] | None = None
        self._validators: dict[str, Schema] = {}

    def get(self, pointer: str) -> Schema:
        """Return the validator of a schema ("#/components/schemas/chat.Message")."""
        found = self._validators.get(pointer)
        if found is None:
            found = self._validators[pointer] = Schema(self, pointer)
        return found

    def compile(self, pointer: str) -> Any:
        """Compile a schema in the scope of the whole document."""
        reference = _URI + quote(pointer, safe="#/~!$&'()*+,;=:@")
        return jsonschema_rs.Draft202012Validator(
            {"$ref": reference}, registry=self._registry, validate_formats=True, mask="value"
        )

    def source(self, pointer: str) -> str | None:
        """Return file:line of the clause at `pointer` ("/components/…"), or of its nearest known parent."""
        if self._origins is None:
            self._origins = _read_origins(self._origins_file)
        while pointer:
            if origin := self._origins.get(pointer) or self._origins.get(f"#{pointer}"):
                return ":".join(origin.split(":")[:2])
            pointer = pointer.rpartition("/")[0]
        return None


@functools.lru_cache(maxsize=1)
def published_schemas(contract_dir: Path) -> Schemas:
    """Return the validators of a compiled contract; a process reads it once."""
    bundle = orjson.loads((contract_dir / "openapi.json").read_bytes())
    return Schemas(bundle, contract_dir / "origins.json")


class Schema:
    """One schema: a quick verdict, and every violation when the verdict is no."""

    __slots__ = ("_schemas", "is_valid", "pointer")

    def __init__(self, schemas: Schemas, pointer: str) -> None:
        self._schemas = schemas
        self.pointer = pointer
        self.is_valid: Any = self._first

    def _first(self, value: Any) -> bool:
        self.is_valid = self._schemas.compile(self.pointer).is_valid
        return bool(self.is_valid(value))

    def violations(self, value: Any, *, location: str, base: str = "") -> list[Violation]:
        """Name every clause that `value` breaks, up to 1,000."""
        found = []
        for error in self._schemas.compile(self.pointer).iter_errors(value):
            found.append(
                Violation(
                    pointer=(base + _pointer(error.instance_path))[:_POINTER_MAX],
                    location=location,
                    rule=str(error.kind.name)[:64],
                    message=error.message[:_MESSAGE_MAX],
                    source=self._schemas.source(_pointer(error.schema_path)),
                )
            )
            if len(found) == ERRORS_MAX:
                break
        return found


def escape(name: str) -> str:
    """Escape one member name for a JSON pointer (RFC 6901, 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _pointer(path: list[str | int]) -> str:
    return "".join(f"/{escape(str(part))}" for part in path)


def _read_origins(file: Path | None) -> Mapping[str, str]:
    if file is None or not file.is_file():
        return {}
    origins: dict[str, str] = orjson.loads(file.read_bytes())
    return origins


def load_type(name: str | None) -> Any:
    """Import a generated type by "module:Name"; None stays None."""
    if name is None:
        return None
    module, _, attribute = name.partition(":")
    found: Any = sys.modules.get(module) or import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found
