"""The project's own files, as the structure tests see them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("codegen", "core", "handlers", "models", "server")
GENERATED = ("models/contract/", "handlers/bindings.py")


@dataclass(frozen=True)
class Module:
    """One Python module; name is dotted, path relative to the project."""

    name: str
    path: str
    lines: int
    tree: ast.Module
    nodes: tuple[ast.AST, ...]

    @property
    def is_generated(self) -> bool:
        """Say whether codegen wrote it."""
        return self.path.startswith(GENERATED)

    def imports(self) -> Iterator[tuple[str, int]]:
        """Yield every imported module with its line, function-level imports included; `from a import b` as a.b."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method."""
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


@cache
def tracked() -> tuple[str, ...]:
    """Return every file of the project: what git tracks, and what it would if asked to add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for path in listed.splitlines() if (ROOT / path).is_file())


@cache
def modules(*rooms: str) -> tuple[Module, ...]:
    """Return the Python modules of these rooms (all when none is named)."""
    wanted = rooms or (*ROOMS, "tests")
    paths = [path for path in tracked() if path.endswith(".py") and path.split("/", 1)[0] in wanted]
    return tuple(_module(path) for path in paths)


@cache
def _module(path: str) -> Module:
    text = (ROOT / path).read_text()
    name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    tree = ast.parse(text, path)
    return Module(name, path, text.count("\n"), tree, tuple(ast.walk(tree)))


def stems(folder: str, suffix: str) -> set[str]:
    """Return the <area>/<resource> stems of the files below a folder."""
    depth = folder.count("/") + 3
    paths = [path for path in tracked() if path.startswith(f"{folder}/") and path.endswith(suffix)]
    paths = [path for path in paths if path.count("/") == depth - 1 and not path.endswith("__init__.py")]
    return {path.removeprefix(f"{folder}/").removesuffix(suffix) for path in paths}
