"""Rounds and verdicts: measure stacks in turn, take medians, and hold ratios against what the project promises."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from statistics import median
from typing import NamedTuple

from tests.bench.load import NothingAnswered, Result, measure
from tests.bench.stacks import Stack

_WARM_SECONDS = 1.0


class Cores(NamedTuple):
    """Where server and loader run; None where there is one core only."""

    server: int | None
    loader: int | None


class Line(NamedTuple):
    """One promise: what was measured, and the bound it is held against (None: printed only)."""

    text: str
    value: float
    bound: float | None
    is_ceiling: bool = False

    @property
    def is_met(self) -> bool:
        if self.bound is None:
            return True
        return self.value <= self.bound if self.is_ceiling else self.value >= self.bound

    def __str__(self) -> str:
        if self.bound is None:
            return f"      {self.text}: {self.value:.2f}"
        sign = "at most" if self.is_ceiling else "at least"
        return f"{'PASS' if self.is_met else 'MISS'}  {self.text}: {self.value:.2f} ({sign} {self.bound:g})"


Results = dict[tuple[str, str], Result]


def choose_cores() -> Cores:
    """Give the server the last core that this process may use, and the loader the first."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[-1], usable[0]) if len(usable) > 1 else Cores(None, None)


def run(
    stacks: Sequence[Stack], *, rounds: int, seconds: float, cores: Cores, warm_seconds: float = _WARM_SECONDS
) -> Results:
    """Measure every target of every stack in every round, one stack at a time, and return medians."""
    found: dict[tuple[str, str], list[Result]] = {}
    for number in range(rounds):
        for stack in stacks:
            for target, result in _measured(stack, seconds, cores, warm_seconds):
                found.setdefault((stack.name, target), []).append(result)
                print(f"round {number + 1}: {stack.name} {target} {result.requests_per_second:,.0f}/s", file=sys.stderr)
    return {key: Result(*(median(column) for column in zip(*results, strict=True))) for key, results in found.items()}


def _measured(stack: Stack, seconds: float, cores: Cores, warm_seconds: float) -> Iterable[tuple[str, Result]]:
    with stack.serving(cores.server) as server:
        for name, target in stack.targets.items():
            with suppress(NothingAnswered):  # a cold server on a busy machine; the measurement itself may not be empty
                measure(server.port, target, warm_seconds, core=cores.loader)
            before = server.cpu_seconds()
            result = measure(server.port, target, seconds, core=cores.loader)
            used_ms = (server.cpu_seconds() - before) * 1000
            yield name, result._replace(cpu_ms=used_ms / (result.requests_per_second * seconds))


def table(results: Results) -> str:
    """Render medians, one row per stack and target."""
    rows = [f"{'stack':<20}{'target':<8}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'p99/p50':>9}{'cpu ms':>9}"]
    for (stack, target), result in results.items():
        spread = result.p99_ms / result.p50_ms
        rows.append(
            f"{stack:<20}{target:<8}{result.requests_per_second:>12,.0f}{result.p50_ms:>10.2f}{result.p99_ms:>10.2f}"
            f"{spread:>9.1f}{result.cpu_ms:>9.3f}"
        )
    return "\n".join(rows)


def ratio(results: Results, target: str, ours: str, other: str, bound: float | None) -> Line:
    """Compare the throughput of two stacks."""
    value = results[ours, target].requests_per_second / results[other, target].requests_per_second
    return Line(f"{target}: {ours} / {other}", value, bound)


def cpu_ratio(results: Results, target: str, ours: str, other: str) -> Line:
    """Compare the CPU time per request, which other work on the machine disturbs less than throughput."""
    value = results[other, target].cpu_ms / results[ours, target].cpu_ms
    return Line(f"{target}: by CPU time, {ours} / {other}", value, None)


def spread(results: Results, stack: str, target: str, bound: float) -> Line:
    """Hold p99 against p50 at saturation."""
    result = results[stack, target]
    return Line(f"{target}: {stack} p99 / p50", result.p99_ms / result.p50_ms, bound, is_ceiling=True)
