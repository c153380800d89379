"""docs/security.md: every requirement has a test that exists or a written reason; every risk has its suite."""

from __future__ import annotations

import ast
import re

import pytest

from tests.structure.tree import ROOT

PAGE = (ROOT / "docs/security.md").read_text()
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([123]) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
REASONS = ("not applicable: ", "accepted: ")
LEVELS_1_AND_2 = {"6": 33, "7": 18, "8": 7, "9": 7, "10": 29}
RISKS = [f"API{number}" for number in range(1, 11)]


def _suite(risk: str) -> str:
    return PAGE.split(f"### {risk}:2023", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize(("path", "name"), sorted(set(TEST.findall(PAGE))), ids=lambda part: part)
def test_a_named_test_exists(path: str, name: str) -> None:
    file = ROOT / path
    assert file.is_file()
    if name:
        found = {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}
        assert name in found


def test_every_requirement_has_a_test_or_a_reason() -> None:
    rows = ROW.findall(PAGE)
    bare = [number for number, _, _, proof in rows if not TEST.search(proof) and not proof.startswith(REASONS)]
    assert not bare
    assert all(level in "12" for _, level, _, _ in rows)
    counts = {chapter: sum(number.startswith(f"{chapter}.") for number, *_ in rows) for chapter in LEVELS_1_AND_2}
    assert counts == LEVELS_1_AND_2
    assert len({number for number, *_ in rows}) == len(rows)


@pytest.mark.parametrize("risk", RISKS)
def test_every_risk_has_its_suite(risk: str) -> None:
    assert len(TEST.findall(_suite(risk))) >= 3
