"""A running shop: its application, what its handlers saw, what was reported, and a client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import Client

from core.kernel import settings as settings_module
from models import database as database_module
from server.app import create_app
from tests.unit.server import shop as shop_module
from tests.unit.server.shop_contract import CONTRACT

GOOD = {"Authorization": "Bearer good"}


class Running:
    """The shop behind a test client; `routed` sends requests through Flask and Connexion instead of the direct lane."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        settings = settings_module.read({"ACCORD_DATABASE_URL": f"sqlite:///{folder / 'shop.db'}"})
        self.settings = settings
        database_module.bind(settings)
        with database_module.write():
            execute = database_module.database.execute_sql
            execute("CREATE TABLE effects (name TEXT)")
            execute("CREATE TABLE firsts (id TEXT PRIMARY KEY, fingerprint BLOB, replay BLOB)")
        self.rebuild(**changes)

    def rebuild(self, **changes: Any) -> None:
        """Serve the shop anew, with other settings or parts of the service."""
        parts = {name: changes.pop(name) for name in ("contract", "prepares", "definitions") if name in changes}
        self.settings = msgspec.structs.replace(self.settings, **changes)
        self.shop, self.record, self.limiter = shop_module.Shop(), shop_module.Record(), shop_module.Limiter()
        service = shop_module.service(self.folder, self.settings, self.shop, limiter=self.limiter, **parts)
        self.streams = shop_module.Streams()
        self.app = create_app(service, observer=self.record, streams=self.streams)
        self.client = Client(self.app, use_cookies=False)
        self.routed = Client(type(self.app).wsgi_app.__get__(self.app), use_cookies=False)

    def effects(self) -> int:
        with database_module.read():
            return int(database_module.database.execute_sql("SELECT count(*) FROM effects").fetchone()[0])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield Running(tmp_path)
    database_module.database.close_all()


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Running]:
    handled = [row for row in CONTRACT.operations if row.id != "later_get"]
    contract = msgspec.structs.replace(CONTRACT, operations=tuple(handled))
    yield Running(tmp_path, profile="production", secret_keys=("k",), contract=contract)
    database_module.database.close_all()
