"""Builds the npm tarball, installs it into projects without the network, and compiles their programs."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.conftest import ROOT

TOOLS = ROOT / "codegen/sdk/typescript/node_modules"
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


def install(folder: Path, tarball: Path, programs: Sequence[Path], *, name: str = "accord-client") -> str:
    """Install a tarball without the network, compile programs against it, and return what TypeScript says."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"private": True, "type": "module", "dependencies": {name: f"file:{tarball}"}}
    (folder / "package.json").write_text(json.dumps(manifest))
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": _COMPILER, "include": ["*.ts"]}))
    for program in programs:
        shutil.copy(program, folder)
    npm = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    installed = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    tsc = ["node", str(TOOLS / "typescript/bin/tsc"), "-p", ".", "--pretty", "false"]
    return subprocess.run(tsc, cwd=folder, capture_output=True, text=True, check=False).stdout


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Let one process make a folder, and give the tarball in it or the folder itself."""
    mark = folder.with_suffix(".made")
    with folder.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not mark.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            mark.touch()
    return next(iter(folder.glob("*.tgz")), folder)
