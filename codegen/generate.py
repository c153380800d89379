"""Brings the generated files up to date, doing as little as the change asks for.

The cache remembers three layers: the compiler and sources of the last run (all equal: nothing to do, and nothing heavy is
imported), the shapes each types module was made from (equal: its text is kept), and the text of every written file (a file
edited by hand is noticed). The compiler is all its files, a new one too, and the versions of the libraries that it writes by.
The cache is not committed: a fresh clone compiles once and finds its files equal.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from codegen.project import Project

_COMPILER = Path(__file__).parent
_TABLE = "core/kernel/operation.py"
"""The form of operations.json."""
_LIBRARIES = ("datamodel-code-generator", "msgspec", "PyYAML")


def generate(project: Project, *, use_cache: bool = True) -> list[str]:
    """Write what changed and remove what is no longer generated; return those paths.

    Raises:
        Refused: the contract cannot be compiled; no file was touched.
    """
    cache = _read_cache(project) if use_cache else {}
    if cache and _is_current(project, cache):
        return []
    files, cache = _compile(project, cache)
    changed = stale(project, files)
    for path in changed:
        target = project.root / path
        if path in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[path], encoding="utf-8")
        else:
            target.unlink()
    _write_cache(project, cache)
    return changed


def check(project: Project) -> list[str]:
    """Return the generated files that are not what the contract compiles to; writes none of them."""
    cache = _read_cache(project)
    if cache and _is_current(project, cache):
        return []
    files, _ = _compile(project, cache)
    return stale(project, files)


def stale(project: Project, files: Mapping[str, str]) -> list[str]:
    """Return paths whose text on disk differs from `files`, and generated files that are not in it."""
    differing = [path for path, text in files.items() if _text(project.root / path) != text]
    folder = project.root / project.output
    present = [
        p.relative_to(project.root).as_posix()
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    ]
    return sorted([*differing, *(path for path in present if path not in files)])


def _compile(project: Project, cache: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    from codegen import pipeline  # noqa: PLC0415  (YAML and msgspec are imported only when something changed)
    from codegen.load import Sources  # noqa: PLC0415

    sources = Sources(project.root, project.contract)
    compiled = pipeline.compile_sources(sources, project.package)
    shapes = {
        pipeline.module_path(project.output, area): pipeline.digest(value) for area, value in compiled.modules.items()
    }
    files = pipeline.emit(compiled, project, _fresh(project, cache, shapes))
    return files, {
        "compiler": _compiler(),
        "sources": _hashes(project.root, [project.root / name for name in sources.names]),
        "shapes": shapes,
        "files": {path: _sha(text.encode()) for path, text in files.items()},
    }


def _fresh(project: Project, cache: Mapping[str, Any], shapes: Mapping[str, str]) -> dict[str, str]:
    """Return the modules on disk that were made by this compiler from equal shapes."""
    if not cache or _compiler() != cache["compiler"]:
        return {}
    result = {}
    for path, digest in shapes.items():
        text = _text(project.root / path)
        if text is not None and cache["shapes"].get(path) == digest and cache["files"].get(path) == _sha(text.encode()):
            result[path] = text
    return result


def _is_current(project: Project, cache: Mapping[str, Any]) -> bool:
    return (
        _compiler() == cache["compiler"]
        and _are_equal(project.root, cache["sources"])
        and _are_equal(project.root, cache["files"])
        and not set(_present(project)) - set(cache["files"])
    )


def _compiler() -> dict[str, str]:
    """Return what the output depends on besides the contract: file of the compiler → hash, and library → version."""
    files = [file for kind in ("*.py", "*.jinja2") for file in sorted(_COMPILER.rglob(kind))]
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    return _hashes(_COMPILER.parent, [*files, _COMPILER.parent / _TABLE]) | versions | {"python": sys.version}


def _present(project: Project) -> Iterable[str]:
    for path in (project.root / project.output).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(project.root).as_posix()


def _are_equal(root: Path, hashes: Mapping[str, str]) -> bool:
    return all((data := _bytes(root / name)) is not None and _sha(data) == value for name, value in hashes.items())


def _hashes(root: Path, files: Iterable[Path]) -> dict[str, str]:
    return {file.relative_to(root).as_posix(): _sha(file.read_bytes()) for file in files}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _text(path: Path) -> str | None:
    data = _bytes(path)
    return None if data is None else data.decode("utf-8", errors="replace")


def _read_cache(project: Project) -> dict[str, Any]:
    """Return the cache; an empty one when there is none or another version of this module wrote it."""
    try:
        cache = json.loads((project.root / project.cache).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return cache if isinstance(cache, dict) and {"compiler", "sources", "shapes", "files"} == set(cache) else {}


def _write_cache(project: Project, cache: Mapping[str, Any]) -> None:
    file = project.root / project.cache
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(cache, indent=1), encoding="utf-8")
