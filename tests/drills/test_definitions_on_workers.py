"""Operations defined at run time, on a real server with two workers: both follow within a second, as a whole."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from core.kernel import settings as kernel_settings
from models import database
from tests.processes import KeptProcess, free_port
from tests.unit.server.definitions_shop import define

ROOT = Path(__file__).parent.parent.parent
FOLLOW_SECONDS = 1.0


class Shop(NamedTuple):
    """A running server."""

    port: int
    process: KeptProcess

    def get(self, path: str) -> tuple[int, int]:
        """Return (status, pid of the worker or 0) of a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            return response.status, json.loads(response.read()).get("pid", 0)
        finally:
            connection.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Serve the shop of definitions_shop with two workers on a database of its own."""
    port = free_port()
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    database.bind(kernel_settings.read({"ACCORD_DATABASE_URL": url}))
    define()
    (tmp_path / "pyproject.toml").write_text('[tool.accord]\nservice = "tests.unit.server.definitions_shop:build"\n')
    own = {
        "ACCORD_BIND": f"127.0.0.1:{port}",
        "ACCORD_WORKERS": "2",
        "ACCORD_DATABASE_URL": url,
        "ACCORD_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")} | own
    command = [Path(sys.executable).with_name("accord"), "serve"]
    process = KeptProcess(command, log=tmp_path / "server.log", folder=tmp_path, environment=environment)
    running = Shop(port, process)
    try:
        _await(lambda: _is_up(running), 30.0, tmp_path / "server.log")
        yield running
    finally:
        process.stop(keep_folder=True)
        database.database.close_all()


def _is_up(shop: Shop) -> bool:
    try:
        return len({shop.get("/pid")[1] for _ in range(20)}) == 2
    except OSError:
        return False


def _await(condition: Callable[[], bool], seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)


# (the defined paths, statuses of /hello/world and /hello/moon)
STEPS: tuple[tuple[tuple[str, ...], tuple[int, int]], ...] = (
    (("/hello/world", "/hello/moon"), (200, 200)),
    (("/hello/moon",), (404, 200)),
    ((), (404, 404)),
)


def test_every_worker_follows_within_a_second(shop: Shop) -> None:
    for paths, expected in STEPS:
        define(*paths)
        time.sleep(FOLLOW_SECONDS)
        answers = {(shop.get("/hello/world")[0], shop.get("/hello/moon")[0]) for _ in range(40)}
        workers = {shop.get("/pid")[1] for _ in range(40)}
        assert answers == {expected}
        assert len(workers) == 2, "only one worker answered"
