"""mypy --strict, pyright and the client: right programs have no error, wrong ones have one wherever they are wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAMS = Path(__file__).parent / "programs"
PYRIGHT = Path(__file__).parent / "pyright/node_modules/pyright/index.js"
LEAST_OPERATIONS, LEAST_WRONG_USES = 30, 25


Place = tuple[str, int]


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def errors(request: pytest.FixtureRequest, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> set[Place]:
    """Check both programs and the whole package; give (file, line) of each error."""
    found = {"mypy": _mypy, "pyright": _pyright}[request.param](installed, tmp_path_factory.mktemp("types"))
    return {(Path(file).name if file.endswith(("right.py", "wrong.py")) else file, line) for file, line in found}


def _mypy(installed: Path, folder: Path) -> set[Place]:
    settings = folder / "mypy.ini"
    settings.write_text(f"[mypy]\nmypy_path = {installed}\nexplicit_package_bases = True\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--hide-error-context"]
    command += ["--cache-dir", str(folder / "cache"), "--config-file", str(settings)]
    files = [str(PROGRAMS / "right.py"), str(PROGRAMS / "wrong.py"), str(installed / "accord_client")]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    rows = re.findall(r"^(.+?):(\d+): error", done.stdout, re.MULTILINE)
    assert rows, done.stdout
    print(done.stdout)
    return {(file, int(line)) for file, line in rows}


def _pyright(installed: Path, folder: Path) -> set[Place]:
    """Judge the programs in its strict mode, and the package, which is generated, in its standard one."""
    (folder / "programs").mkdir()
    for name in ("right.py", "wrong.py"):
        shutil.copy(PROGRAMS / name, folder / "programs")
    # Nothing outside of the folder is judged.
    shutil.copytree(installed / "accord_client", folder / "package/accord_client")
    settings = {
        "include": ["programs", "package"],
        "strict": ["programs"],
        "extraPaths": ["package"],
        "pythonVersion": "3.11",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(PYRIGHT), "--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    assert PYRIGHT.is_file(), "run `make sdk-ts-tools`"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] > LEAST_OPERATIONS, told["summary"]
    rows = [row for row in told["generalDiagnostics"] if row["severity"] == "error"]
    print(*(f"{row['file']}:{row['range']['start']['line'] + 1}: {row['message']}" for row in rows), sep="\n")
    return {(row["file"], row["range"]["start"]["line"] + 1) for row in rows}


def test_the_package_and_a_right_program_have_no_error(errors: set[tuple[str, int]]) -> None:
    assert not {place for place in errors if place[0] != "wrong.py"}
    used = set(re.findall(r"client\.(\w+\.\w+)\b(?=[(.])", (PROGRAMS / "right.py").read_text()))
    assert len(used) >= LEAST_OPERATIONS, sorted(used)


def test_every_wrong_use_is_an_error(errors: set[tuple[str, int]]) -> None:
    lines = (PROGRAMS / "wrong.py").read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert {line for file, line in errors if file == "wrong.py"} == wrong
    assert len(wrong) >= LEAST_WRONG_USES
