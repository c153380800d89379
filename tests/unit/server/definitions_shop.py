"""A shop whose run-time operations are rows of a table: what `accord serve` loads in the test of two workers."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from core.kernel.operation import Media, Operation, Response
from core.kernel.settings import Settings
from core.system.events import SqlEventLog
from core.system.jobs import SqlJobQueue
from models import database
from server.ports import DefinitionSet, Ports
from server.service import Service
from tests.unit.server.shop import Limiter, SqlStore, Verifier
from tests.unit.server.shop_contract import CONTRACT, SCHEMAS, operation, ref, write


def define(*paths: str) -> None:
    """Replace the defined paths and move the generation, in one transaction."""
    with database.write():
        execute = database.database.execute_sql
        execute("CREATE TABLE IF NOT EXISTS definitions (generation INTEGER, paths TEXT)")
        last = execute("SELECT max(generation) FROM definitions").fetchone()[0] or 0
        execute("DELETE FROM definitions")
        execute("INSERT INTO definitions VALUES (?, ?)", (last + 1, json.dumps(paths)))


class SqlDefinitions:
    """Reads what `define` wrote."""

    def generation(self) -> int:
        with database.read():
            return int(database.database.execute_sql("SELECT generation FROM definitions").fetchone()[0])

    def load(self) -> DefinitionSet:
        with database.read():
            row = database.database.execute_sql("SELECT generation, paths FROM definitions").fetchone()
        operations = tuple(_described(f"path_{index}", path) for index, path in enumerate(json.loads(row[1])))
        return DefinitionSet(
            generation=row[0],
            operations=operations,
            bundle={"components": {"schemas": SCHEMAS}},
            handlers={operation.id: _pid for operation in operations},
        )


def _described(id: str, path: str) -> Operation:
    media = Media(content_type="application/json", schema=ref("any"))
    return operation(id, "GET", path, Response(status=200, origin="user.yaml:1", media=(media,)))


def _pid(call: Any) -> dict[str, int]:
    return {"pid": os.getpid()}


def build(settings: Settings) -> Service:
    """Build the service: one fixed operation, and the table's."""
    database.bind(settings)
    fixed = _described("pids_get", "/pid")
    contract = msgspec.structs.replace(CONTRACT, operations=(fixed,))
    folder = Path(tempfile.mkdtemp(dir=settings.data_dir))
    write(folder, contract)
    return Service(
        contract=contract,
        contract_dir=folder,
        handlers={"pids_get": _pid},
        prepares={},
        settings=settings,
        ports=Ports(
            verifier=Verifier(),
            idempotency=SqlStore(),
            limiter=Limiter(),
            events=SqlEventLog(),
            jobs=SqlJobQueue(),
            definitions=SqlDefinitions(),
        ),
    )
