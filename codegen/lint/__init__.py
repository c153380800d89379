"""Judges a contract: every module here but this one is a rule with `check(contract)`."""

from __future__ import annotations

import importlib
import pkgutil

from codegen.findings import Finding
from codegen.ir import Contract


def lint(contract: Contract) -> list[Finding]:
    """Return the findings of every rule, in order of place."""
    findings: list[Finding] = []
    for module in pkgutil.iter_modules(__path__):
        findings.extend(importlib.import_module(f"{__name__}.{module.name}").check(contract))
    return sorted(set(findings), key=lambda finding: (finding.location, finding.rule, finding.message))
