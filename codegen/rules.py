"""Runs the rules of a package: every module in it has `check(subject)` and yields findings."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from codegen.findings import Finding, Refused


def run(package: ModuleType, subject: Any) -> None:
    """Run every rule of `package`.

    Raises:
        Refused: with all findings of all rules, in order of place.
    """
    findings: set[Finding] = set()
    for module in pkgutil.iter_modules(package.__path__):
        findings.update(importlib.import_module(f"{package.__name__}.{module.name}").check(subject))
    if findings:
        raise Refused(sorted(findings, key=lambda finding: (finding.location, finding.rule, finding.message)))
