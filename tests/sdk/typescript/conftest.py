"""The npm tarball, built once for all, and a project that installed it offline and compiled the programs of this folder."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.live import Live

PROGRAMS = Path(__file__).parent / "programs"
TOOLS = ROOT / "codegen/sdk/typescript/node_modules"
_DIAGNOSTIC = re.compile(r"^(?P<file>\S+?)\((?P<line>\d+),\d+\): error (?P<code>TS\d+): (?P<text>.*)$", re.MULTILINE)
_COMPILER = {
    "target": "ES2022",
    "lib": ["ES2023", "DOM", "DOM.AsyncIterable", "DOM.Iterable"],
    "module": "NodeNext",
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "types": [],
    "rootDir": ".",
    "outDir": "out",
}

Program = Callable[..., Any]


@dataclass(frozen=True)
class Project:
    """A folder where the package is installed. complaints: what `tsc --strict` says of its programs."""

    folder: Path
    package: Path
    complaints: tuple[dict[str, str], ...]

    def run(self, name: str, **variables: str) -> Any:
        """Run a program by node and return the JSON that it prints."""
        done = subprocess.run(
            ["node", f"out/{name}.js"],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all processes of this run see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "typescript"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def tarball(shared_folder: Path) -> Path:
    """Build the tarball as `make sdk-ts` does."""
    return _once(shared_folder / "dist", _build)


@pytest.fixture(scope="session")
def project(tarball: Path, shared_folder: Path) -> Project:
    """Install the tarball and compile the programs."""
    folder = shared_folder / "project"
    _once(folder, lambda made: _install(made, tarball, sorted(PROGRAMS.glob("*.ts"))))
    said = (folder / "complaints.txt").read_text()
    return Project(
        folder, folder / "node_modules/accord-client", tuple(m.groupdict() for m in _DIAGNOSTIC.finditer(said))
    )


@pytest.fixture
def run_program(project: Project, live: Live) -> Program:
    """Run a program as ada against the running server: run_program("paging", PROXY_URL=…)."""
    ada = live.people.ada
    known = {"BASE_URL": live.server.url, "TOKEN": str(ada.token), "EMAIL": ada.email, "PASSWORD": ada.password}
    return lambda name, **variables: project.run(name, **{**known, **variables})


def build(output: Path, *options: str) -> Path:
    """Build a tarball by the command line."""
    command = [
        sys.executable,
        "-m",
        "codegen.cli",
        "sdk",
        "--language",
        "typescript",
        "--output",
        str(output),
        *options,
    ]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip())


def install(folder: Path, tarball: Path, programs: Sequence[Path]) -> str:
    """Install a tarball without the network, compile programs against it, and return what TypeScript says."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"private": True, "type": "module", "dependencies": {"accord-client": f"file:{tarball}"}}
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": _COMPILER, "include": ["*.ts"]}))
    for program in programs:
        shutil.copy(program, folder)
    npm = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    installed = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    tsc = ["node", str(TOOLS / "typescript/bin/tsc"), "-p", ".", "--pretty", "false"]
    return subprocess.run(tsc, cwd=folder, capture_output=True, text=True, check=False).stdout


def _build(folder: Path) -> None:
    build(folder)


def _install(folder: Path, tarball: Path, programs: Sequence[Path]) -> None:
    (folder / "complaints.txt").write_text(install(folder, tarball, programs))


def _once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Let one process make a folder, and give the tarball in it or the folder itself."""
    mark = folder.with_suffix(".made")
    with folder.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not mark.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            mark.touch()
    return next(iter(folder.glob("*.tgz")), folder)
