"""Providers of files: one YAML document each, `NAME.yaml` in ACCORD_FEDERATION_DIR, read once at the start.

`${VARIABLE}` and `${VARIABLE:default}` in a text stand for the environment, so that a secret need not be in the file.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from core.identity.federation.definitions import violations
from core.kernel import settings
from core.kernel.settings import SettingsError
from models.contract.identity import FederationProvider

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def file_providers() -> dict[str, FederationProvider]:
    """Return the definitions by name.

    Raises:
        SettingsError: the folder is missing, or a file cannot be read as a definition; file and fault are named.
    """
    folder = settings.current().federation_dir
    return _read(folder) if folder else {}


@lru_cache(maxsize=4)
def _read(folder: str) -> dict[str, FederationProvider]:
    if not Path(folder).is_dir():
        raise SettingsError(f"ACCORD_FEDERATION_DIR: {folder} is no folder")
    return {path.stem: _definition(path) for path in sorted(Path(folder).glob("*.yaml"))}


def _definition(path: Path) -> FederationProvider:
    import yaml  # noqa: PLC0415 - only those who have files wait for it

    try:
        made = msgspec.convert(_filled(yaml.safe_load(path.read_text(encoding="utf-8"))), FederationProvider)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if made.metadata.name != path.stem or not _NAME.fullmatch(path.stem):
        raise SettingsError(f"{path}: metadata.name must be the file's name, of a to z, 0 to 9, _ and -")
    faults = [f"{fault.pointer}: {fault.message}" for fault in violations(made)]
    if faults:
        raise SettingsError(f"{path}: {'; '.join(faults)}")
    return made


def _filled(value: Any) -> Any:
    """Put the environment into every text; a variable that is not set and has no default is empty."""
    if isinstance(value, dict):
        return {name: _filled(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if not isinstance(value, str):
        return value
    return _PLACEHOLDER.sub(lambda found: os.environ.get(found[1], found[2] or ""), value)
