"""Start to ready, in CPU seconds, against importing the libraries that no start can avoid."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from statistics import median

from tests.bench.processes import ROOT
from tests.bench.rounds import Cores, Line
from tests.bench.stacks import Stack

_IMPORTS = "import connexion, gevent, peewee, msgspec"
_PACKAGES = ("codegen", "core", "handlers", "models", "server")
_BOUND = 1.5


def line(stack: Stack, *, rounds: int, cores: Cores) -> Line:
    """Compare the median of `rounds` starts (parent and worker together) with that of as many imports."""
    for package in _PACKAGES:  # as an installation has them, also where PYTHONDONTWRITEBYTECODE is set
        compileall.compile_dir(ROOT / package, quiet=1)
    starts, imports = [], []
    for _ in range(rounds):
        imports.append(_import_seconds())
        with stack.serving(cores.server) as server:
            starts.append(server.cpu_seconds())
    text = f"start to ready / importing: {median(starts):.2f} s / {median(imports):.2f} s of CPU"
    return Line(text, median(starts) / median(imports), _BOUND, is_ceiling=True)


def _import_seconds() -> float:
    process = subprocess.Popen([sys.executable, "-c", _IMPORTS])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{_IMPORTS!r} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime
