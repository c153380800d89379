"""What the types say that plain JSON Schema does not, and what they leave out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.typescript.packing import TOOLS

_NOWHERE = {"$ref": "nowhere.yml#/x"}


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the types of a small contract whose texts and samples refer to files that are not there."""
    schemas: dict[str, Any] = {
        "Mood": {"type": "string", "enum": ["good", "bad"], "x-open-enum": True},
        "Weather": {"type": "string", "enum": ["sun", "rain"]},
        "Open": {"type": "object", "x-freeform": "A reason.", "properties": {"a": {"type": "integer"}}},
        "Picture": {"type": "object", "properties": {"file": {"type": "string", "contentMediaType": "image/png"}}},
        "Named": {
            "type": "object",
            "properties": {"x-y": {"type": "object"}, "tags": {"type": "boolean", "default": True}},
        },
    }
    operation = {
        "operationId": "a_b",
        "tags": ["a"],
        "x-codeSamples": [_NOWHERE],
        "responses": {"200": {"description": "", "content": {"application/json": {"example": _NOWHERE}}}},
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "tags": [{"name": "a", "description": _NOWHERE}],
        "paths": {"/a": {"get": operation}},
        "components": {"schemas": schemas},
    }
    folder = tmp_path_factory.mktemp("schema")
    (folder / "contract.json").write_text(json.dumps(document))
    command = ["node", TOOLS.parent / "schema.js", folder / "contract.json", folder / "types.ts"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return " ".join((Path(folder) / "types.ts").read_text().split())


@pytest.mark.parametrize(
    "said",
    [
        'Mood: "good" | "bad" | (string & {});',
        'Weather: "sun" | "rain";',
        "Open: { a?: number; } & { [key: string]: unknown; };",
        "Picture: { file?: Upload; };",
        '"x-y"?: ',
        "tags?: boolean;",
    ],
)
def test_types_say_what_the_contract_means(types: str, said: str) -> None:
    assert said in types
