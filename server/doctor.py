"""`accord doctor`: every setting as it was read, and a check of each thing that serving needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from core.kernel.problems import Problem
from core.kernel.settings import SETTINGS, Settings
from server import datadir, migration
from server.project import ProjectError
from server.service import Service

_SECRET = ("SECRET", "TOKEN", "KEY", "PASSWORD")


def report(settings: Settings, build: Callable[[], Service], environment: Mapping[str, str], directory: Path) -> int:
    """Print settings and checks; 0 when everything that serving needs is there, else 1.

    directory: of the project, where the sources of its contract are, unless it is installed without them.
    """
    for variable, value, origin in rows(settings, environment):
        print(f"{variable:<34}{value:<48}{origin}")
    print()
    is_well = True
    for name, fault, detail in _checks(settings, build, directory):
        print(f"{'FAIL' if fault else 'ok':<6}{name:<14}{fault or detail}")
        is_well = is_well and not fault
    return 0 if is_well else 1


def rows(settings: Settings, environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (variable, value with secrets masked, where it comes from)."""
    for row in SETTINGS:
        value = getattr(settings, row.field)
        text = ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        if value and (any(word in row.variable for word in _SECRET)):
            text = "(set)"
        yield row.variable, mask(text), "environment" if row.variable in environment else "default"


def mask(url: str) -> str:
    """Hide the password of a URL."""
    scheme, separator, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    if not separator or not at:
        return url
    user, colon, _ = credentials.partition(":")
    return f"{scheme}://{user}{':(set)' if colon else ''}@{host}"


def _checks(settings: Settings, build: Callable[[], Service], directory: Path) -> Iterator[tuple[str, str | None, str]]:
    yield "data folder", datadir.find_fault(settings), settings.data_dir
    yield from _check_database(settings)
    try:
        contract = build().contract
        yield "contract", None, f"{contract.title} {contract.version}, {len(contract.operations)} operations"
        yield "fingerprint", None, contract.fingerprint
        yield from _check_sources(contract.sources, directory)
    except (ProjectError, OSError) as error:
        yield "contract", str(error), ""


def _check_sources(sources: Mapping[str, str], directory: Path) -> Iterator[tuple[str, str | None, str]]:
    """Compare each file of the contract with the text that was compiled."""
    if not any((directory / name).is_file() for name in sources):
        yield "sources", None, "not here: the contract is served as it was compiled"
        return
    differing = False
    for name, digest in sources.items():
        file = directory / name
        if not file.is_file():
            fault = "is gone"
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            fault = f"was changed {_moment(file)}, and not compiled"
        else:
            continue
        differing = True
        yield "sources", f"{name} {fault}; run `accord generate`", ""
    if not differing:
        yield "sources", None, f"{len(sources)} files, all as they were compiled"


def _moment(file: Path) -> str:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _check_database(settings: Settings) -> Iterator[tuple[str, str | None, str]]:
    if settings.is_sqlite and not Path(settings.database_url.removeprefix("sqlite:///")).exists():
        yield "database", None, "SQLite, made by the first start"
        return
    try:
        pending = migration.pending(settings)
        is_fault = bool(pending) and not (settings.is_sqlite or settings.is_dev)
        yield "database", None, "SQLite" if settings.is_sqlite else "PostgreSQL"
        state = f"pending: {', '.join(pending)}" if pending else "up to date"
        yield "migrations", f"{state}; run `accord migrate`" if is_fault else None, state
    except Problem as problem:
        yield "database", f"{problem.detail} {problem.cause or ''}", ""
