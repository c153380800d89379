"""Find the service that this command line serves: by `[tool.accord]` of the working directory's pyproject, else as installed."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from core.kernel.settings import Settings
from server.service import Service

_ENTRY_POINTS = "accord.service"


class ProjectError(Exception):
    """The service cannot be found or loaded; the message says where it was looked for."""


def load_service(directory: Path) -> Callable[[Settings], Service]:
    """Return the function that builds the service of the project in `directory`, or of the installed distribution.

    Raises:
        ProjectError: neither names one, or what is named cannot be imported.
    """
    name = find_service(directory)
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    module, _, attribute = name.partition(":")
    try:
        build: Callable[[Settings], Service] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ProjectError(f"the service {name} cannot be loaded: {error}") from error
    return build


def find_service(directory: Path) -> str:
    """Return the "module:function" that `directory` names, or else the one that is installed.

    Raises:
        ProjectError: neither names exactly one.
    """
    if name := _from_pyproject(directory / "pyproject.toml"):
        return name
    found = sorted({entry.value for entry in entry_points(group=_ENTRY_POINTS)})
    if len(found) != 1:
        raise ProjectError(f"no [tool.accord] service in {directory}/pyproject.toml, and {len(found)} installed")
    return found[0]


def _from_pyproject(file: Path) -> str | None:
    if not file.is_file():
        return None
    try:
        tables = tomllib.loads(file.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{file}: {error}") from error
    service = tables.get("tool", {}).get("accord", {}).get("service")
    return service if isinstance(service, str) else None
