"""Where a project keeps its contract and its generated files: the table `[tool.accord]` of pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """Paths are relative to `root` with forward slashes.

    contract: the entry file. output: folder of the generated package; its dotted name is `package`.
    handlers: the package of hand-written handlers. cache: fingerprints of the last run, not committed.
    """

    root: Path
    contract: str = "spec/openapi.yaml"
    output: str = "models/contract"
    handlers: str = "handlers"
    tests: str = "tests/handlers"
    cache: str = "build/codegen.json"

    @property
    def package(self) -> str:
        return self.output.replace("/", ".")

    @property
    def bindings(self) -> str:
        return f"{self.handlers}/bindings.py"


def find_project(start: Path) -> Project:
    """Return the project that `start` lies in; defaults where pyproject.toml says nothing."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("accord", {})
            known = {
                name: table[name] for name in ("contract", "output", "handlers", "tests", "cache") if name in table
            }
            return Project(folder, **known)
    return Project(start)
