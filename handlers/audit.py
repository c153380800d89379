"""`accord audit verify` and `accord audit list`: read the audit trail, and follow the chain of its seals."""

from __future__ import annotations

import argparse
import os
import sys
from uuid import UUID

import msgspec

from core.kernel import settings as kernel_settings
from core.kernel.problems import Problem
from core.kernel.settings import SettingsError
from core.system import audit_chain
from core.system.audit import list_entries
from models import database
from models.tables.audit import AuditEntry

_USAGE_ERROR = 2
_MOST_ROWS = 100_000


def audit(arguments: list[str]) -> int:
    """Read or verify the trail; returns the exit code: 0 it holds, 1 it is broken or unreadable, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        settings = kernel_settings.read(os.environ)
        kernel_settings.install(settings)
        database.bind(settings)
        return _list(options) if options.command == "list" else _verify()
    except SettingsError as error:
        return _fail(str(error), _USAGE_ERROR)
    except Problem as problem:
        return _fail(f"{problem.detail} {problem.cause or ''}".strip(), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="accord audit", description="Read the audit trail.")
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("verify", help="follow the chain of seals and name the first entry that breaks it")
    rows = commands.add_parser("list", help="print the newest entries, a JSON object a line")
    rows.add_argument("--limit", type=int, default=100, choices=range(1, _MOST_ROWS + 1), metavar="N")
    rows.add_argument("--user", type=UUID, metavar="ID")
    rows.add_argument("--operation", metavar="ID")
    return parser


def _verify() -> int:
    verdict = audit_chain.verify()
    if verdict.broken is not None:
        place = f"seal {verdict.broken.seq}" if verdict.broken.seq else "the end"
        entry = f", entry {verdict.broken.entry_id}" if verdict.broken.entry_id else ""
        return _fail(f"the audit trail is broken at {place}{entry}: {verdict.broken.reason}", 1)
    print(f"{verdict.sealed} entries hold, {verdict.waiting} wait for their seal; head {verdict.head or '-'}")
    return 0


def _list(options: argparse.Namespace) -> int:
    for entry in list_entries(limit=options.limit, user_id=options.user, operation=options.operation):
        print(_line(entry))
    return 0


def _line(entry: AuditEntry) -> str:
    shown = {name: getattr(entry, name) for name in AuditEntry._meta.sorted_field_names}
    shown["objects"] = msgspec.json.decode(entry.objects)
    return msgspec.json.encode(shown).decode()


def _fail(message: str, code: int) -> int:
    print(f"accord: {message}", file=sys.stderr)
    return code
