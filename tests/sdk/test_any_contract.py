"""The Python client of contracts that are not ours imports whole and passes mypy --strict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOREIGN = os.environ.get("ACCORD_TEST_CONTRACT")
ODD = """
openapi: 3.1.0
info: {title: Odd, version: 1.0.0}
paths:
  /settings:
    put:
      operationId: settings_put
      tags: [settings]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/settings.Change"}}}}
      responses: {"204": {description: Stored.}}
components:
  schemas:
    settings.Change: {type: object, properties: {to: {$ref: "#/components/schemas/settings.All"}}}
    settings.All:
      type: object
      properties:
        class: {type: string}
        pool.mode: {$ref: "#/components/schemas/settings.Pool"}
        disk: {$ref: "#/components/schemas/storage.Disk"}
        quoted: {type: string, enum: ["_settings.Pool", "_other.Area"]}
    settings.Pool: {type: object, properties: {size: {type: integer}}}
    storage.Disk: {type: object, properties: {size: {type: integer}}}
"""
_IMPORT_ALL = """
import importlib, pkgutil, typing, odd_client
from odd_client.types import settings
for module in pkgutil.walk_packages(odd_client.__path__, "odd_client."):
    importlib.import_module(module.name)
print(typing.get_type_hints(settings.AllParam)["disk"].__name__, typing.get_type_hints(settings.AllParam)["pool.mode"].__name__)
"""


def _made(spec: Path, folder: Path) -> Path:
    """Generate a client and return the folder that it is unpacked in."""
    command = [sys.executable, "-m", "codegen.cli", "sdk", "--spec", str(spec), "--name", "odd-client"]
    made = subprocess.run(
        [*command, "--output", str(folder / "dist")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder / "installed"), made.stdout.strip()], check=True)
    return folder / "installed"


def _complaints(installed: Path, folder: Path) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--cache-dir", str(folder / "cache")]
    settings = folder / "mypy.ini"
    settings.write_text("[mypy]\n")
    return subprocess.run(
        [*command, "--config-file", str(settings), str(installed / "odd_client")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_names_that_python_cannot_have_are_typed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(ODD)
    installed = _made(tmp_path / "odd.yaml", tmp_path)
    assert "Success" in _complaints(installed, tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL],
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.split() == ["DiskParam", "PoolParam"], told.stderr
    text = (installed / "odd_client/types/settings.py").read_text()
    assert r"\"_settings.Pool\", \"_other.Area\"" in text, "texts that look like types stay texts"


@pytest.mark.long
@pytest.mark.skipif(FOREIGN is None, reason="ACCORD_TEST_CONTRACT names no OpenAPI file")
def test_a_foreign_contract_passes(tmp_path: Path) -> None:
    installed = _made(Path(FOREIGN or ""), tmp_path)
    assert "Success" in _complaints(installed, tmp_path)
