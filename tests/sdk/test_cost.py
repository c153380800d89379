"""What the client costs before it is used: CPU of importing it, as a share of importing httpx."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median

ROUNDS = 7
MOST = 0.3
OURS = "import accord_client; accord_client.Client('http://127.0.0.1:9', bearer='x').messages"


def _cpu_seconds(program: str, path: Path) -> float:
    pid = os.spawnve(
        os.P_NOWAIT, sys.executable, [sys.executable, "-c", program], os.environ | {"PYTHONPATH": str(path)}
    )
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


def test_importing_costs_a_third_of_httpx_at_most(installed: Path) -> None:
    programs = {"nothing": "pass", "httpx": "import httpx", "ours": "import accord_client", "ready": OURS}
    for program in programs.values():  # compiles the files, which pip does not for --target of its own accord
        _cpu_seconds(program, installed)
    spent: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            spent[name].append(_cpu_seconds(program, installed))
    least = {name: median(values) - median(spent["nothing"]) for name, values in spent.items()}
    ratios = {name: least[name] / least["httpx"] for name in ("ours", "ready")}
    print(
        f"\nimport accord_client: {ratios['ours']:.2f} of importing httpx; a client with a resource: {ratios['ready']:.2f}"
    )
    assert ratios["ours"] <= MOST
    assert ratios["ready"] <= 1.0


def test_nothing_is_loaded_before_it_is_needed(installed: Path) -> None:
    check = f"{OURS}; import sys; sys.exit(any(name in sys.modules for name in ('httpx', 'asyncio', 'accord_client.resources.users')))"
    _cpu_seconds(check, installed)
