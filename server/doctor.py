"""`accord doctor`: every setting as it was read, and a check of each thing that serving needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from core.kernel.problems import Problem
from core.kernel.settings import SETTINGS, Settings
from server import datadir, migration
from server.project import ProjectError
from server.service import Service

_SECRET = ("SECRET", "TOKEN", "KEY", "PASSWORD")


def report(settings: Settings, build: Callable[[], Service], environment: Mapping[str, str]) -> int:
    """Print settings and checks; 0 when everything that serving needs is there, else 1."""
    for variable, value, origin in rows(settings, environment):
        print(f"{variable:<34}{value:<48}{origin}")
    print()
    is_well = True
    for name, fault, detail in _checks(settings, build):
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


def _checks(settings: Settings, build: Callable[[], Service]) -> Iterator[tuple[str, str | None, str]]:
    yield "data folder", datadir.find_fault(settings), settings.data_dir
    yield from _check_database(settings)
    try:
        contract = build().contract
        yield "contract", None, f"{contract.title} {contract.version}, {len(contract.operations)} operations"
        yield "fingerprint", None, contract.fingerprint
    except (ProjectError, OSError) as error:
        yield "contract", str(error), ""


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
