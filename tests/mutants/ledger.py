"""What is known already: one JSON line for each verdict and each measured baseline, keyed by all that it depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from tests.mutants.mutant import Mutant

_READ = {".py", ".json", ".yaml", ".toml", ".txt", ".sql"}
_APART = ("tests/mutants/", "tests/bench/", "tests/drills/", "tests/fuzz/", "tests/structure/", "codegen/")


class Ledger:
    """Rows in a file; each is written as soon as it is known, so that a campaign broken off goes on where it was."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self._rows: dict[str, dict[str, Any]] = {row["key"]: row for row in map(json.loads, lines)}

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the row, or None."""
        return self._rows.get(key)

    def write(self, key: str, row: dict[str, Any]) -> None:
        """Keep a row; a newer one of the same key wins."""
        with self._lock, self._path.open("a") as file:
            self._rows[key] = {"key": key} | row
            file.write(json.dumps(self._rows[key]) + "\n")


class Keys:
    """The keys of one copied tree: they change with the product, the tests in question and what those tests share."""

    def __init__(self, tree: Path, names: Sequence[str]) -> None:
        self._tree = tree
        shared = hashlib.blake2b(digest_size=16)
        for name in sorted(names):
            if Path(name).suffix in _READ and not name.startswith(_APART) and not _is_test(name):
                shared.update(name.encode() + b"\0" + (tree / name).read_bytes())
        self._shared = shared.digest()

    def of_tests(self, *arguments: str) -> str:
        """Return the key of the tests that these arguments of pytest name."""
        found = hashlib.blake2b(self._shared, digest_size=16)
        for argument in arguments:
            found.update(argument.encode() + b"\0" + (self._tree / argument.partition("::")[0]).read_bytes())
        return found.hexdigest()

    def of_mutant(self, mutant: Mutant, arguments: Sequence[str]) -> str:
        """Return the key of a mutant that these tests judge."""
        edit = "\0".join((mutant.file, mutant.old, mutant.new, self.of_tests(*arguments)))
        return hashlib.blake2b(edit.encode(), digest_size=16).hexdigest()


def _is_test(name: str) -> bool:
    return name.startswith("tests/") and Path(name).name.startswith("test_")
