"""A project that follows its contract: what generate writes, what new starts, what check misses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen import cli, completeness, generate
from codegen.emit import types
from codegen.findings import Refused
from codegen.project import Project

ROOT = Path(__file__).parents[2]
VALID = Path(__file__).parent / "contract"
OPERATIONS = ("events_stream", "items_create", "items_get", "items_list", "items_update", "pictures_upload")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project with the valid contract and nothing else."""
    shutil.copytree(VALID, tmp_path / "spec")
    (tmp_path / "pyproject.toml").write_text('[tool.accord]\noutput = "models/contract"\n')
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def _edit(project: Project, file: str, find: str, replace: str) -> None:
    path = project.root / file
    text = path.read_text()
    assert text.count(find) == 1
    path.write_text(text.replace(find, replace))


def _snapshot(project: Project) -> dict[str, tuple[bytes, int]]:
    files = [path for path in project.root.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_nothing_is_written_when_nothing_changed(project: Project) -> None:
    assert "models/contract/shop.py" in generate.generate(project)
    before = _snapshot(project)
    assert generate.generate(project) == []
    assert _snapshot(project) == before


def test_the_same_bytes_come_without_the_cache(project: Project) -> None:
    generate.generate(project)
    assert generate.generate(project, use_cache=False) == []
    (project.root / project.cache).unlink()
    assert generate.check(project) == []


def test_only_the_area_of_an_edited_schema_is_typed_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    generate.generate(project)
    typed: list[str] = []
    make = types.module_text
    monkeypatch.setattr(types, "module_text", lambda area, shapes: typed.append(area) or make(area, shapes))
    _edit(project, "spec/shared.yaml", "    code: {type", "    detail: {type: string, maxLength: 9}\n    code: {type")
    changed = generate.generate(project)
    assert typed == ["spec"]
    assert [path for path in changed if path.endswith(".py")] == ["models/contract/spec.py"]


def test_no_type_is_made_again_when_only_a_bound_changed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    generate.generate(project)
    monkeypatch.delattr(types, "module_text")
    _edit(project, "spec/schemas/shop/items.yaml", "maxLength: 40,", "maxLength: 50,")
    assert "models/contract/openapi.json" in generate.generate(project)


def test_nothing_is_written_when_the_contract_is_refused(project: Project) -> None:
    generate.generate(project)
    _edit(project, "spec/shared.yaml", "default: 50", "default: 500")
    before = _snapshot(project)
    with pytest.raises(Refused):
        generate.generate(project)
    assert _snapshot(project) == before


def test_a_generated_file_that_was_edited_is_stale_and_is_made_again(project: Project) -> None:
    generate.generate(project)
    (project.root / "models/contract/shop.py").write_text("# mine\n")
    (project.root / "models/contract/old.py").write_text("# of a former contract\n")
    stale = ["models/contract/old.py", "models/contract/shop.py"]
    assert generate.check(project) == stale
    assert cli.generate(["--check"]) == 1
    assert generate.generate(project) == stale
    assert generate.check(project) == []


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the projects that were compiled instead of being found current."""
    seen: list[str] = []
    compile_ = generate._compile
    monkeypatch.setattr(
        generate, "_compile", lambda project, cache: seen.append(project.root.name) or compile_(project, cache)
    )
    return seen


def test_everything_is_compiled_again_when_a_rule_is_new_or_gone(
    project: Project, compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "compiler/codegen"
    shutil.copytree(generate._COMPILER, compiler)
    (tmp_path / "compiler/core/kernel").mkdir(parents=True)
    shutil.copy(ROOT / generate._TABLE, tmp_path / "compiler" / generate._TABLE)
    monkeypatch.setattr(generate, "_COMPILER", compiler)
    for change in (None, (compiler / "lint/a_new_rule.py").touch, (compiler / "lint/a_new_rule.py").unlink):
        if change is not None:
            change()
        generate.generate(project)
        assert generate.generate(project) == []
    assert len(compiled) == 3


@pytest.mark.parametrize("library", ["datamodel-code-generator", "msgspec", "PyYAML"])
def test_everything_is_compiled_again_by_another_version_of_a_library(
    project: Project, compiled: list[str], monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    version = generate.metadata.version
    monkeypatch.setattr(generate.metadata, "version", lambda name: "99" if name == library else version(name))
    generate.generate(project)
    assert len(compiled) == 1


def test_a_damaged_cache_is_made_again(project: Project) -> None:
    generate.generate(project)
    (project.root / project.cache).write_text("{")
    assert generate.generate(project) == []
    assert json.loads((project.root / project.cache).read_text())["files"]


def test_every_clause_has_its_line(project: Project) -> None:
    generate.generate(project)
    origins = json.loads((project.root / "models/contract/origins.json").read_text())
    pointer = "/components/schemas/shop.ItemCreate/properties/count/maximum"
    file, line, column = origins[pointer].split(":")
    text = (project.root / file).read_text().splitlines()[int(line) - 1]
    assert text[int(column) - 1 :].startswith("maximum: 100")


def test_check_names_the_line_of_an_operation_without_handler(project: Project) -> None:
    generate.generate(project)
    with pytest.raises(Refused) as refused:
        completeness.check(project)
    found = {(finding.rule, str(finding.location)) for finding in refused.value.findings}
    assert ("handlers", "spec/paths/shop/items.yaml:30:3") in found
    assert ("tests", "spec/paths/shop/items.yaml:30:3") in found
    assert len(found) == 2 * len(OPERATIONS)


def test_new_starts_each_handler_and_test_once(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    generate.generate(project)
    for operation_id in OPERATIONS:
        assert cli.new([operation_id]) == 0
    before = _snapshot(project)
    assert cli.new(["items_get"]) == 0
    assert cli.new(["items_paint"]) == 1
    assert _snapshot(project) == before
    assert cli.check([]) == 0


def _types(project: Project) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "codegen.cli", "check", "--types"]
    return subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.whole
def test_a_missing_and_a_mistyped_handler_are_type_errors_that_name_the_contracts_line(project: Project) -> None:
    generate.generate(project)
    for operation_id in OPERATIONS:
        cli.new([operation_id])
    done = _types(project)
    assert done.returncode == 0, done.stdout + done.stderr
    _edit(project, "handlers/shop/items.py", "-> shop.ItemPage:", "-> list[shop.Item]:")
    done = _types(project)
    assert done.returncode == 1
    assert "spec/paths/shop/items.yaml:3" in done.stdout
    _edit(project, "handlers/shop/items.py", "def items_get(", "def items_fetch(")
    mypy = [sys.executable, "-m", "mypy", "--pretty", "handlers/bindings.py"]
    environment = {**os.environ, "MYPYPATH": str(ROOT), "MYPY_FORCE_TERMINAL_WIDTH": "400"}
    done = subprocess.run(mypy, cwd=project.root, env=environment, capture_output=True, text=True, check=False)
    assert "spec/paths/shop/items.yaml:74" in done.stdout
