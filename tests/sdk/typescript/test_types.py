"""What `tsc --strict` says of a program that is right and of one that is wrong in every line."""

from __future__ import annotations

import re

from tests.sdk.typescript.conftest import PROGRAMS, Project

_EXPECTED = re.compile(r"// (TS\d+)$")


def test_right_programs_are_accepted(project: Project) -> None:
    assert [row for row in project.complaints if row["file"] != "wrong_uses.ts"] == []


def test_every_wrong_use_is_the_type_error_that_it_says(project: Project) -> None:
    lines = (PROGRAMS / "wrong_uses.ts").read_text().splitlines()
    expected = {str(number): found[1] for number, line in enumerate(lines, 1) if (found := _EXPECTED.search(line))}
    said = {row["line"]: row["code"] for row in project.complaints if row["file"] == "wrong_uses.ts"}
    assert said == expected
    assert len(expected) >= 25


def test_the_right_program_uses_thirty_operations(project: Project) -> None:
    text = (PROGRAMS / "thirty_operations.ts").read_text()
    calls = set(re.findall(r"\b(?:client|browser|program)\.(\w+\.\w+)\(", text))
    assert len(calls) >= 30
