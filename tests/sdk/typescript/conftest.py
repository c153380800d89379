"""A project that installed the npm tarball offline, and compiled the programs of this folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live import Live
from tests.sdk.typescript.packing import install, once

PROGRAMS = Path(__file__).parent / "programs"
_DIAGNOSTIC = re.compile(r"^(?P<file>\S+?)\((?P<line>\d+),\d+\): error (?P<code>TS\d+): (?P<text>.*)$", re.MULTILINE)

Program = Callable[..., Any]


@dataclass(frozen=True)
class Project:
    """A folder where the package is installed. complaints: what `tsc --strict` says of its programs."""

    folder: Path
    package: Path
    complaints: tuple[dict[str, str], ...]

    def run(self, name: str, *, seconds: float = 120, **variables: str) -> Any:
        """Run a program by node and return the JSON that it prints."""
        done = subprocess.run(
            ["node", f"out/{name}.js"],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def project(tarball: Path, shared_folder: Path) -> Project:
    """Install the tarball and compile the programs."""
    folder = shared_folder / "project"
    once(folder, lambda made: _install(made, tarball, sorted(PROGRAMS.glob("*.ts"))))
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


def _install(folder: Path, tarball: Path, programs: Sequence[Path]) -> None:
    (folder / "complaints.txt").write_text(install(folder, tarball, programs))
