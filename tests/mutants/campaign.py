"""Run mutants: copy the tree, seed one fault at a time in the copy, run the tests that reach it, report.

The copy's byte code is compiled from the unchanged sources while the tests run on them once; afterwards no byte code is
written, so a restored file and its old byte code agree, and a fault of the same length can never hide behind it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from tests.mutants.mutant import Mutant
from tests.mutants.reaches import REACHES

ROOT = Path(__file__).parents[2]
_BASELINE_SECONDS = 600.0
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-x", "-m", "not long and not whole", "--backend", "sqlite")
_PYTEST += ("-p", "no:cacheprovider", "--no-header", "--tb=line")
_PASSED, _FAILED = 0, 1


class BrokenCampaign(Exception):
    """The campaign proves nothing: the suite is red without any mutant, or runs another tree than the copy."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: caught (by `detail`), hung, survived, or broken (`detail` is pytest's output)."""

    mutant: Mutant
    verdict: Literal["caught", "hung", "survived", "broken"]
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class _Ended:
    code: int | None
    output: str
    seconds: float


def run(mutants: Sequence[Mutant], *, folder: Path, lanes: int = 2) -> Iterator[Outcome]:
    """Yield what becomes of each mutant, as it is known.

    Raises:
        BrokenCampaign: see the class.
        StaleMutant: an edit no longer fits.
    """
    for mutant in mutants:
        mutant.applied((ROOT / mutant.file).read_text())
    trees: SimpleQueue[Path] = SimpleQueue()
    first = folder / "0"
    _copy_tree(first)
    _check_baseline(first, mutants)
    trees.put(first)
    for lane in range(1, lanes):
        shutil.copytree(first, folder / str(lane), symlinks=True)
        trees.put(folder / str(lane))
    with ThreadPoolExecutor(lanes) as pool:
        yield from pool.map(lambda mutant: _judge(mutant, trees), mutants)


def _copy_tree(target: Path) -> None:
    """Copy what git knows or would add; never what it ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (source := ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def _check_baseline(tree: Path, mutants: Iterable[Mutant]) -> None:
    where = _python(tree, "-c", "import server.view; print(server.view.__file__)").strip()
    if not Path(where).is_relative_to(tree):
        raise BrokenCampaign(f"tests would run {where}, not the copy in {tree}")
    arguments = list(dict.fromkeys(argument for mutant in mutants for argument in _arguments(mutant)))
    ended = _run_tests(tree, arguments, seconds=_BASELINE_SECONDS)
    if ended.code != _PASSED:
        raise BrokenCampaign(f"red without any mutant: pytest {' '.join(arguments)}\n{ended.output[-4000:]}")


def _python(tree: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=tree, env=_environment(tree), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _arguments(mutant: Mutant) -> tuple[str, ...]:
    return tuple(dict.fromkeys(argument for reach in mutant.reaches for argument in REACHES[reach]))


def _judge(mutant: Mutant, trees: SimpleQueue[Path]) -> Outcome:
    tree = trees.get()
    try:
        with _seeded(tree / mutant.file, mutant):
            ended = _run_tests(tree, _arguments(mutant), seconds=mutant.seconds, PYTHONDONTWRITEBYTECODE="1")
    finally:
        trees.put(tree)
    if ended.code is None:
        return Outcome(mutant, "hung", ended.seconds, f"ended after {mutant.seconds:g} s")
    if ended.code == _PASSED:
        return Outcome(mutant, "survived", ended.seconds)
    if ended.code == _FAILED:
        return Outcome(mutant, "caught", ended.seconds, _first_failure(ended.output))
    return Outcome(mutant, "broken", ended.seconds, ended.output[-2000:])


@contextmanager
def _seeded(file: Path, mutant: Mutant) -> Iterator[None]:
    """Hold the fault in a file, then restore its bytes and its time."""
    source, stat = file.read_bytes(), file.stat()
    file.write_text(mutant.applied(source.decode()))
    try:
        yield
    finally:
        file.write_bytes(source)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _run_tests(tree: Path, arguments: Sequence[str], *, seconds: float, **variables: str) -> _Ended:
    """Run pytest in a session of its own, so that a hang takes its servers along when it is ended."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*_PYTEST, *arguments],
        cwd=tree,
        env=_environment(tree) | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    code: int | None
    try:
        output, _ = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, code = process.communicate()[0], None
    return _Ended(code, output, time.monotonic() - began)


def _environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree), "TMPDIR": str(_temporary(tree))}


def _temporary(tree: Path) -> Path:
    folder = tree.with_name(f"{tree.name}.tmp")
    folder.mkdir(exist_ok=True)
    return folder


def _first_failure(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("FAILED ", "ERROR ")):
            return line.split(" - ")[0].split(maxsplit=1)[1]
    return ""
