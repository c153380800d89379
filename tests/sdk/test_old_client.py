"""The client of an older contract works with today's server: what was added since breaks nobody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.live import Live

WHEEL = Path(__file__).parent / "fixtures/accord_client-0.1.0-py3-none-any.whl"
PROGRAM = Path(__file__).parent / "programs/of_old.py"
OPERATIONS, LEAST_USED = 52, 45


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the old wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("old")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder), str(WHEEL)], check=True)
    return folder


def _run(old: Path, *command: str, **variables: str) -> str:
    """Run a program with the old client on its path and return what it prints."""
    paths = os.pathsep.join([str(old), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def test_its_program_still_works(old: Path, live: Live) -> None:
    ada = live.people.ada
    told = _run(old, str(PROGRAM), BASE_URL=live.server.url, EMAIL=ada.email, PASSWORD=ada.password)
    assert json.loads(told) == {"done": True}
    offered = set(re.findall(r"^## client\.(\w+)", (old / "accord_client/api.md").read_text(), re.MULTILINE))
    used = {
        call
        for call in re.findall(r"\b(?:client|browser|stranger|Client\(.*?\))\.(\w+\.\w+)\b", PROGRAM.read_text())
        if call.partition(".")[0] in offered
    }
    assert len(used) >= LEAST_USED, sorted(used)


def test_it_reads_every_answer_of_todays_contract(old: Path) -> None:
    """Runs today's vectors of the operations that it knows: answers, refusals and retries."""
    told = json.loads(_run(old, "-m", "tests.sdk.old_vectors"))
    print(f"\n{told['run']} vectors of {len(told['operations'])} operations; {len(told['later'])} came later")
    assert told["wrong"] == []
    assert len(told["operations"]) == OPERATIONS
    assert not set(told["operations"]) & set(told["later"]), "an operation lost one of its methods"
