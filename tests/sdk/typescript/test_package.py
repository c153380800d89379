"""The tarball itself: without dependencies, for browsers too, and cut into modules that a bundler can leave out."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

from codegen.sdk.typescript import package
from tests.conftest import ROOT
from tests.sdk.typescript.conftest import Project
from tests.sdk.typescript.packing import TOOLS

_IMPORT = re.compile(r"""^(?:import|export)\s(?:[^"';=(]*?\sfrom\s)?["']([^"']+)["']""", re.MULTILINE)


def _reached(start: Path) -> set[Path]:
    """Return the modules that a module loads, itself included."""
    seen: set[Path] = set()
    queue = [start.resolve()]
    while queue:
        module = queue.pop()
        if module not in seen:
            seen.add(module)
            queue += [(module.parent / name).resolve() for name in _IMPORT.findall(module.read_text())]
    return seen


def test_the_package_depends_on_nothing(project: Project) -> None:
    manifest = json.loads((project.package / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & set(manifest)
    assert manifest["sideEffects"] is False
    assert manifest["type"] == "module"


def test_no_module_imports_what_a_browser_lacks(project: Project) -> None:
    modules = sorted((project.package / "dist").rglob("*.js"))
    assert len(modules) > 20
    foreign = {name for module in modules for name in _IMPORT.findall(module.read_text()) if not name.startswith(".")}
    assert foreign == set()


def test_a_resource_brings_no_other_one(project: Project) -> None:
    dist = (project.package / "dist").resolve()
    reached = _reached(dist / "connect.js") | _reached(dist / "resources/messages.js")
    assert {path.name for path in reached if path.parent.name == "resources"} == {"messages.js"}
    assert dist / "client.js" not in reached


def test_every_operation_is_in_the_index(project: Project) -> None:
    contract = json.loads((ROOT / "models/contract/openapi.json").read_text())
    operations = {
        f"`{method.upper()} {path}`"
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    assert operations <= set(re.findall(r"`[A-Z]+ /[^`]*`", (project.package / "api.md").read_text()))


def test_the_tarball_tells_nothing_of_its_build(tarball: Path) -> None:
    with tarfile.open(tarball) as opened:
        assert {(entry.mtime, entry.uid, entry.uname, entry.mode) for entry in opened} == {(0, 0, "", 0o644)}
    assert tarball.read_bytes()[4:8] == bytes(4), "gzip's own time"


def test_a_machine_without_node_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(package.ToolFailed, match="node 20 or newer"):
        package.check_tools()


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (TOOLS.parent / "package-lock.json").read_text()
