"""Each invalid contract differs from a valid one in one place, and fails there, saying what to do."""

from __future__ import annotations

import pkgutil
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import codegen.lint
import codegen.structure
from codegen.findings import Refused
from codegen.load import Sources
from codegen.pipeline import compile_sources

HERE = Path(__file__).parent
VALID = HERE / "contract"
CASES = sorted((HERE / "invalid").glob("*.yaml"))
STAGES = {"yaml", "refs", "structure", "compile"}


def _case(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.safe_load(path.read_text())
    return case


def _apply(case: dict[str, Any], folder: Path) -> None:
    shutil.copytree(VALID, folder, dirs_exist_ok=True)
    file = folder / case["file"]
    text = file.read_text()
    assert text.count(case["find"]) == 1, "the edit must be in exactly one place"
    file.write_text(text.replace(case["find"], case["replace"]))


def test_the_valid_contract_compiles() -> None:
    assert len(compile_sources(Sources(VALID, "openapi.yaml"), "shop").contract.operations) == 6


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_invalid_contract_is_refused_where_it_is_wrong(path: Path, tmp_path: Path) -> None:
    case = _case(path)
    _apply(case, tmp_path)
    with pytest.raises(Refused) as refused:
        compile_sources(Sources(tmp_path, "openapi.yaml"), "shop")
    found = [f"{finding.location} [{finding.rule}]" for finding in refused.value.findings]
    assert found == case["expect"]
    assert case["says"] in refused.value.findings[0].message


def test_every_rule_and_stage_has_a_case() -> None:
    packages = [*codegen.lint.__path__, *codegen.structure.__path__]
    rules = {module.name for module in pkgutil.iter_modules(packages)} | STAGES
    tested = {line.partition("[")[2].rstrip("]") for path in CASES for line in _case(path)["expect"]}
    assert tested == rules
