"""A mutant: one seeded fault, written as an exact edit of one file."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


class StaleMutant(Exception):
    """The edit no longer fits the source."""


@dataclass(frozen=True)
class Mutant:
    """A fault: `old`, which occurs once in `file`, becomes `new`; reaches: the names in reaches.py that touch it."""

    name: str
    file: str
    old: str
    new: str
    reaches: tuple[str, ...]

    @property
    def group(self) -> str:
        """Return the part of the tree that the fault is in."""
        top, second, *_ = self.file.split("/")
        return f"{top}/{second}" if top == "core" else top

    def applied(self, source: str) -> str:
        """Return the faulty source.

        Raises:
            StaleMutant: the old text is gone, occurs more than once, or the new source is not Python.
        """
        if (count := source.count(self.old)) != 1:
            raise StaleMutant(f"{self.name}: the old text occurs {count} times in {self.file}")
        mutated = source.replace(self.old, self.new)
        try:
            ast.parse(mutated)
        except SyntaxError as error:
            raise StaleMutant(f"{self.name}: the edit of {self.file} is not Python: {error}") from error
        return mutated

    def line(self, root: Path) -> int:
        """Return the line of the first changed line in the unchanged file."""
        source = (root / self.file).read_text()
        start = source.index(self.old) + _common_prefix(self.old, self.new)
        return source.count("\n", 0, start) + 1


def _common_prefix(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
