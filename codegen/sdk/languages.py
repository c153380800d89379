"""The languages that a client can be generated in, and what builds its package."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from codegen import ir
from codegen.sdk.python import package as python
from codegen.sdk.python.wheel import Distribution
from codegen.sdk.typescript import package as typescript
from codegen.sdk.typescript.package import ToolFailed

__all__ = ["BUILDERS", "ToolFailed"]


def _python(contract: ir.Contract, name: str, output: Path) -> Path:
    info = contract.root["info"]
    summary = f"Client of {' '.join(str(info['title']).split())}"
    return python.build(
        contract, Distribution(name, name.replace("-", "_"), _release(str(info["version"])), summary), output
    )


def _release(version: str) -> str:
    """Return a version that Python's packages can have (PEP 440): a day such as 2026-01-31 becomes 2026.01.31."""
    if re.fullmatch(r"v?\d+(\.\d+)*((a|b|rc|\.post|\.dev)\d+)?", version):
        return version
    return ".".join(re.findall(r"\d+", version)) or "0"


BUILDERS: dict[str, Callable[[ir.Contract, str, Path], Path]] = {"python": _python, "typescript": typescript.build}
"""Language → builder: contract, name of the package and folder in, path of the package out."""
