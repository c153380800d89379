"""Runs many samples in one process of Python, of node, or of bash each, and says of each what went wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.sdk.documented import Documented
from tests.sdk.typescript.packing import install

_SECONDS = 120
_TURNS, _TURN_SECONDS = 60, 0.25
_IN_PYTHON = """
import contextlib, io, json, os, sys, traceback
faults = []
for source, variables in json.load(sys.stdin):
    os.environ.update(variables)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "sample", "exec"), {"__name__": "__main__"})
    except Exception:
        faults.append(traceback.format_exc())
    else:
        faults.append(None)
json.dump(faults, sys.stdout)
"""
_IN_NODE = """
import { readFileSync } from "node:fs";
const faults = [];
console.log = () => undefined;
for (const [file, variables] of JSON.parse(readFileSync(0, "utf8"))) {
  Object.assign(process.env, variables);
  try {
    await import(file);
    faults.push(null);
  } catch (error) {
    faults.push(String(error.stack ?? error));
  }
}
process.stdout.write(JSON.stringify(faults));
"""
_GLOBALS = "declare const process: { env: Record<string, string | undefined> };\n"

Faults = list[str | None]


class PythonSamples:
    """Samples in Python. installed: the folder that the client is in."""

    def __init__(self, installed: Path) -> None:
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)}

    def prepare(self, samples: Sequence[Documented]) -> None:
        """Do nothing: Python reads sources."""

    def run(self, samples: Sequence[Documented]) -> Faults:
        """Run samples one after the other."""
        told = [(sample.source, dict(sample.variables)) for sample in samples]
        return _told([sys.executable, "-c", _IN_PYTHON], told, self._environment)

    def command(self, sample: Documented) -> tuple[list[str], Mapping[str, str]]:
        """Return what runs one sample by itself, and its environment."""
        return [sys.executable, "-u", "-c", sample.source], {**self._environment, **sample.variables}


class TypeScriptSamples:
    """Samples in TypeScript: compiled by tsc --strict against the package, and run by node."""

    def __init__(self, folder: Path, tarball: Path) -> None:
        self._folder = folder
        self._tarball = tarball
        self._files: dict[str, Path] = {}

    def prepare(self, samples: Sequence[Documented]) -> None:
        """Compile samples; each must be without a fault in its types."""
        sources = self._folder / "sources"
        sources.mkdir(parents=True)
        for number, sample in enumerate(samples):
            (sources / f"sample_{number}.ts").write_text(sample.source)
            self._files[sample.source] = self._folder / f"project/out/sample_{number}.js"
        (sources / "process.d.ts").write_text(_GLOBALS)
        said = install(self._folder / "project", self._tarball, sorted(sources.iterdir()))
        assert not said, said

    def run(self, samples: Sequence[Documented]) -> Faults:
        """Run samples one after the other."""
        told = [(str(self._files[sample.source]), dict(sample.variables)) for sample in samples]
        return _told(["node", "--input-type=module", "-e", _IN_NODE], told, {"PATH": os.environ["PATH"]})

    def command(self, sample: Documented) -> tuple[list[str], Mapping[str, str]]:
        """Return what runs one sample by itself, and its environment."""
        return ["node", str(self._files[sample.source])], {"PATH": os.environ["PATH"], **sample.variables}


class ShellSamples:
    """Samples of curl, by bash."""

    def prepare(self, samples: Sequence[Documented]) -> None:
        """Do nothing: bash reads sources."""

    def run(self, samples: Sequence[Documented]) -> Faults:
        """Run samples one after the other."""
        return [self._fault(sample) for sample in samples]

    def command(self, sample: Documented) -> tuple[list[str], Mapping[str, str]]:
        """Return what runs one sample by itself, and its environment."""
        return ["bash", "-euc", sample.source], {"PATH": os.environ["PATH"], **sample.variables}

    def _fault(self, sample: Documented) -> str | None:
        command, environment = self.command(sample)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False, errors="replace"
        )
        return None if done.returncode == 0 else f"{done.returncode}: {done.stderr}{done.stdout[:500]}"


Runner = PythonSamples | TypeScriptSamples | ShellSamples


def says(runner: Runner, sample: Documented, word: str, happen: Callable[[], None]) -> str | None:
    """Run a sample that does not end, let things happen until it prints a word, and end it; return what it said else."""
    command, environment = runner.command(sample)
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    reader = threading.Thread(target=_read, args=(process, word, said))
    reader.start()
    try:
        for _ in range(_TURNS):
            happen()
            reader.join(_TURN_SECONDS)
            if not reader.is_alive():
                break
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
        reader.join(10)
    return None if word in "".join(said) else "".join(said)


def _read(process: subprocess.Popen[str], word: str, said: list[str]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            said.append(line)
            if word in line:
                return


def _told(command: Sequence[str], told: object, environment: Mapping[str, str]) -> Faults:
    done = subprocess.run(
        command,
        input=json.dumps(told),
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    faults: Faults = json.loads(done.stdout)
    return faults
