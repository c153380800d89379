"""mypy --strict and the client: right programs have no error, wrong ones have one wherever they are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAMS = Path(__file__).parent / "programs"
LEAST_OPERATIONS, LEAST_WRONG_USES = 30, 25


@pytest.fixture(scope="module")
def errors(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, int]]:
    """Check both programs and the whole package; give (file, line) of each error."""
    files = [str(PROGRAMS / "right.py"), str(PROGRAMS / "wrong.py"), str(installed / "accord_client")]
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-pretty",
        "--hide-error-context",
        "--cache-dir",
        str(tmp_path_factory.mktemp("mypy")),
    ]
    settings = tmp_path_factory.mktemp("settings") / "mypy.ini"
    settings.write_text(f"[mypy]\nmypy_path = {installed}\nexplicit_package_bases = True\n")
    done = subprocess.run(
        [*command, "--config-file", str(settings), *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    rows = re.findall(r"^(.+?):(\d+): error", done.stdout, re.MULTILINE)
    assert rows, done.stdout
    print(done.stdout)
    return {(Path(file).name if file.endswith(("right.py", "wrong.py")) else file, int(line)) for file, line in rows}


def test_the_package_and_a_right_program_have_no_error(errors: set[tuple[str, int]]) -> None:
    assert not {place for place in errors if place[0] != "wrong.py"}
    used = set(re.findall(r"client\.(\w+\.\w+)\b(?=[(.])", (PROGRAMS / "right.py").read_text()))
    assert len(used) >= LEAST_OPERATIONS, sorted(used)


def test_every_wrong_use_is_an_error(errors: set[tuple[str, int]]) -> None:
    lines = (PROGRAMS / "wrong.py").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert {line for file, line in errors if file == "wrong.py"} == wrong
    assert len(wrong) >= LEAST_WRONG_USES
