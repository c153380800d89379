"""Both clients, built once from the contract as it is; the Python one is installed where tests import it from."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from tests.live import Live
from tests.sdk.typescript.packing import build, once


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `make sdk` does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "codegen.cli", "sdk", "--output", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip())


@pytest.fixture
def hurried(launch: Callable[..., Live]) -> Live:
    """Start a server whose streams may be opened again at once: behind a bad proxy, most of the time would be their pauses."""
    return launch(workers=2, stream_retry_ms="20")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(folder), str(wheel)], check=True)
    return folder


@pytest.fixture(scope="session")
def sdk(installed: Path) -> Iterator[ModuleType]:
    """Import accord_client."""
    sys.path.insert(0, str(installed))
    yield importlib.import_module("accord_client")
    sys.path.remove(str(installed))


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
    return once(shared_folder / "dist", _build)


@pytest.fixture(scope="session")
def package(tarball: Path, shared_folder: Path) -> Path:
    """Unpack the tarball: the package needs no other."""
    return once(shared_folder / "unpacked", lambda folder: _unpack(folder, tarball)) / "package"


def _unpack(folder: Path, tarball: Path) -> None:
    with tarfile.open(tarball) as packed:
        packed.extractall(folder, filter="data")


def _build(folder: Path) -> None:
    build(folder)
