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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Literal
from xml.etree import ElementTree

from tests.mutants.ledger import Keys, Ledger
from tests.mutants.mutant import Mutant
from tests.mutants.reaches import REACHES

ROOT = Path(__file__).parents[2]
_BASELINE_SECONDS = 1200.0
_PATIENCE, _GRACE_SECONDS = 5.0, 30.0
_CHOICE = ("-m", "not long and not whole", "--backend", "sqlite")
_PYTEST = [sys.executable, "-m", "pytest", "-q", *_CHOICE, "-p", "no:cacheprovider", "--no-header", "--tb=line"]
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


class Campaign:
    """Copies of the tree, one for each lane, and the ledger of what is known about them."""

    def __init__(self, folder: Path, ledger: Ledger, *, lanes: int = 2) -> None:
        first = folder / "0"
        names = _copy_tree(first)
        _check_copy(first)
        self._ledger, self._keys, self._lanes = ledger, Keys(first, names), lanes
        self._trees: SimpleQueue[Path] = SimpleQueue()
        for lane in range(lanes):
            tree = folder / str(lane)
            if lane:
                shutil.copytree(first, tree, symlinks=True)
            self._trees.put(tree)

    def run(self, mutants: Sequence[Mutant]) -> Iterator[Outcome]:
        """Yield what becomes of each mutant, in their order.

        Raises:
            BrokenCampaign: see the class.
            StaleMutant: an edit no longer fits.
        """
        for mutant in mutants:
            mutant.applied((ROOT / mutant.file).read_text())
        pool = ThreadPoolExecutor(self._lanes)
        try:
            unknown = [each for each in _all_arguments(mutants) if self._ledger.find(self._keys.of_tests(each)) is None]
            parts = filter(None, (unknown[lane :: self._lanes] for lane in range(self._lanes)))
            red = [name for names in pool.map(self._measure, parts) for name in names]
            if red:
                raise BrokenCampaign(f"red without any mutant: pytest {' '.join(red)}")
            yield from pool.map(self._judge, mutants)
        finally:
            pool.shutdown(cancel_futures=True)

    def _measure(self, arguments: Sequence[str]) -> list[str]:
        """Run tests on the unchanged copy, keep the seconds of the green ones, and return the red ones."""
        with self._tree() as tree:
            report = _temporary(tree) / "baseline.xml"
            report.unlink(missing_ok=True)
            ended = _run_tests(tree, [f"--junit-xml={report}", *arguments], seconds=_BASELINE_SECONDS)
            if not report.exists():
                raise BrokenCampaign(f"no test could run without any mutant:\n{ended.output[-4000:]}")
            cases = list(ElementTree.parse(report).iter("testcase"))
        start = ended.seconds - sum(float(case.attrib["time"]) for case in cases)
        red = []
        for argument in arguments:
            own = [case for case in cases if is_of(case, argument)]
            if own and all(case.find("failure") is None and case.find("error") is None for case in own):
                seconds = start + sum(float(case.attrib["time"]) for case in own)
                self._ledger.write(self._keys.of_tests(argument), {"tests": argument, "seconds": round(seconds, 1)})
            else:
                red.append(argument)
        return red

    def _judge(self, mutant: Mutant) -> Outcome:
        arguments = _arguments(mutant)
        key = self._keys.of_mutant(mutant, arguments)
        if (known := self._ledger.find(key)) is not None:
            return Outcome(mutant, known["verdict"], known["seconds"], known["detail"])
        limit = _PATIENCE * sum(self._seconds(argument) for argument in arguments) + _GRACE_SECONDS
        with self._tree() as tree, _seeded(tree / mutant.file, mutant):
            ended = _run_tests(tree, ["-x", *arguments], seconds=limit, PYTHONDONTWRITEBYTECODE="1")
        outcome = _outcome(mutant, ended)
        row = {"mutant": mutant.name, "verdict": outcome.verdict, "detail": outcome.detail}
        self._ledger.write(key, row | {"seconds": round(ended.seconds, 1)})
        return outcome

    def _seconds(self, argument: str) -> float:
        row = self._ledger.find(self._keys.of_tests(argument))
        assert row is not None
        return float(row["seconds"])

    @contextmanager
    def _tree(self) -> Iterator[Path]:
        tree = self._trees.get()
        try:
            yield tree
        finally:
            self._trees.put(tree)


def _copy_tree(target: Path) -> list[str]:
    """Copy what git knows or would add, never what it ignores, and return the names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [name for name in names.split("\0") if name and (ROOT / name).is_file()]
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return files


def _check_copy(tree: Path) -> None:
    where = _python(tree, "-c", "import server.view; print(server.view.__file__)").strip()
    if not Path(where).is_relative_to(tree):
        raise BrokenCampaign(f"tests would run {where}, not the copy in {tree}")


def _python(tree: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=tree, env=_environment(tree), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _arguments(mutant: Mutant) -> tuple[str, ...]:
    return tuple(dict.fromkeys(argument for reach in mutant.reaches for argument in REACHES[reach]))


def _all_arguments(mutants: Sequence[Mutant]) -> list[str]:
    return list(dict.fromkeys(argument for mutant in mutants for argument in _arguments(mutant)))


def is_of(case: ElementTree.Element, argument: str) -> bool:
    """Say whether a test case of a JUnit report is one that this argument of pytest names."""
    path, _, test = argument.partition("::")
    module = path.removesuffix(".py").replace("/", ".")
    is_of_module = f"{case.get('classname')}.".startswith(f"{module}.")  # the name of a class may follow
    return is_of_module and (not test or case.attrib["name"].partition("[")[0] == test)


def _outcome(mutant: Mutant, ended: _Ended) -> Outcome:
    if ended.code is None:
        return Outcome(mutant, "hung", ended.seconds, f"ended after {ended.seconds:.0f} s")
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
