"""The official JSON Schema test suite, draft 2020-12: a schema is judged as the suite says, or refused; never misread."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from codegen import ir, rules, structure
from codegen.bundle import bundle
from codegen.findings import Refused
from codegen.lint import unsupported_keywords
from codegen.load import Sources
from server.schemas import Schema, Schemas

ARCHIVE = Path(__file__).parent / "json_schema_suite/draft2020-12.tar.gz"
FOLDER = "tests/draft2020-12/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ANNOTATED = "is only an annotation by default"
"""What format.json says of each format: here formats are asserted, as in optional/format, and nothing is an annotation."""
COMPARED_MIN, REFUSED_MAX = 1400, 85


def _read() -> dict[str, list[dict[str, Any]]]:
    with tarfile.open(ARCHIVE) as archive:
        members = [member for member in archive if member.name.startswith(FOLDER)]
        return {
            member.name.removeprefix(FOLDER): json.loads(file.read())
            for member in members
            if (file := archive.extractfile(member)) is not None
        }


SUITE = _read()


def _compiled(schema: Any) -> Schema | None:
    """Return the validator of a schema that stands in a contract, or None when the compiler refuses it."""
    if isinstance(schema, dict) and schema.get("$schema") == DIALECT:
        schema = {key: value for key, value in schema.items() if key != "$schema"}  # OpenAPI 3.1's own
    components = {"schemas": {"suite.Thing": schema}}
    contract = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}, "components": components}
    try:
        joined = bundle(Sources.of_text(json.dumps(contract)))
        rules.run(structure, joined)
    except Refused:
        return None
    if any(unsupported_keywords.check(ir.build(joined))):
        return None
    return Schemas(joined.document).get("#/components/schemas/suite.Thing")


@pytest.mark.parametrize("file", sorted(SUITE))
def test_a_schema_that_is_not_refused_is_judged_as_the_suite_says(file: str) -> None:
    differing = []
    for group in SUITE[file]:
        schema = _compiled(group["schema"])
        for case in group["tests"] if schema is not None else ():
            valid = case["valid"] and ANNOTATED not in case["description"]
            if schema.is_valid(case["data"]) != valid:
                differing.append((group["description"], case["description"]))
    assert differing == []


def test_little_is_refused() -> None:
    groups = [group for file in SUITE.values() for group in file]
    judged = [group for group in groups if _compiled(group["schema"]) is not None]
    compared = sum(len(group["tests"]) for group in judged)
    assert compared >= COMPARED_MIN, compared
    assert len(groups) - len(judged) <= REFUSED_MAX, len(groups) - len(judged)
