"""What the compiler says of a contract: one finding has a place, a rule, and a message that states the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Location(NamedTuple):
    """A place in a source file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Finding:
    """One thing to repair. rule: the name of the lint rule, which is the stem of its file."""

    rule: str
    location: Location
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message} [{self.rule}]"


class Refused(Exception):
    """The contract cannot be compiled; `findings` say where and why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = list(findings)


def meant(value: object) -> str:
    """Return what to write instead of a scalar that YAML reads otherwise than it looks; empty when there is nothing to say."""
    if isinstance(value, bool | int | float) or value is None:
        return ": write it in quotes to make it text"
    if not isinstance(value, str):
        return ""
    if value.lower() in _BOOLEANS:
        return f": write {_BOOLEANS[value.lower()]}"
    if re.fullmatch(r"[-+]?\d+(_\d+)+", value):
        return f": write {value.replace('_', '')}"
    return ": write the number out" if re.fullmatch(r"0[xob][0-9a-fA-F]+", value) else ""


_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def render(findings: Iterable[Finding], root: Path) -> str:
    """Return findings in order of place, each with the lines of source around it."""
    ordered = sorted(set(findings), key=lambda finding: (finding.location, finding.rule, finding.message))
    return "\n".join(f"{finding}\n{_listing(finding.location, root)}" for finding in ordered)


def _listing(location: Location, root: Path) -> str:
    try:
        lines = (root / location.file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    rows = []
    for number in range(max(1, location.line - 1), min(len(lines), location.line + 1) + 1):
        rows.append(f"{number:>6} | {lines[number - 1]}")
        if number == location.line:
            rows.append(f"       | {' ' * (location.column - 1)}^")
    return "\n".join(rows) + "\n"
