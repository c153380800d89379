"""The real server for tests: `accord serve` in processes of its own, on a free port of the loopback interface."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.kernel.settings import Settings
from tests.client import Client, OverHttp
from tests.databases import UNLIMITED_POSTS, Databases, read_settings
from tests.factories.people import People
from tests.oracle import Oracle
from tests.processes import KeptProcess, free_port

_READY_SECONDS = 30.0


class LiveServer:
    """A running server; settings gives its data folder, database and secrets, `variables` the rest."""

    def __init__(self, settings: Settings, *, workers: int = 2, **variables: str) -> None:
        self.settings = settings
        self.host, self.port = "127.0.0.1", free_port()
        self.log = Path(settings.data_dir) / "server.log"
        self._environment = _environment(settings, self.port, workers) | _prefixed(variables)
        self._wanted = workers
        self._process: KeptProcess | None = None
        self.start()

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://{self.host}:{self.port}"

    @property
    def process(self) -> KeptProcess:
        """Return the master process."""
        assert self._process is not None, "the server was stopped"
        return self._process

    def start(self) -> None:
        """Start and wait until it is ready, with all its workers."""
        command = [Path(sys.executable).with_name("accord"), "serve"]
        self._process = KeptProcess(command, log=self.log, environment=self._environment)
        deadline = time.monotonic() + _READY_SECONDS
        while len(self.workers()) < self._wanted or not self.is_ready():
            assert self.process.is_running, f"the server ended at its start:\n{self.log_tail()}"
            assert time.monotonic() < deadline, f"the server did not become ready:\n{self.log_tail()}"
            time.sleep(0.05)

    def restart(self, **variables: str) -> None:
        """Stop, and start again with other settings."""
        self.stop()
        self._environment |= _prefixed(variables)
        self.start()

    def is_ready(self) -> bool:
        """Ask GET /readyz."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> int:
        """Stop gracefully and return the exit status."""
        process, self._process = self.process, None
        return process.stop(keep_folder=True)

    def workers(self) -> list[int]:
        """Return the pids of the workers."""
        return self.process.children()

    def kill_worker(self, pid: int | None = None) -> int:
        """Kill a worker with SIGKILL, the oldest when none is named, and return its pid."""
        pid = self.workers()[0] if pid is None else pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill(self) -> list[int]:
        """Kill the master with SIGKILL and return the pids of its workers, which must end by themselves.

        `start` serves again.
        """
        process, self._process = self.process, None
        workers = process.children()
        os.kill(process.pid, signal.SIGKILL)
        process.stop(keep_folder=True)
        return workers

    def client(self, oracle: Oracle) -> Client:
        """Give a client whose every exchange is judged."""
        return Client(OverHttp(self.host, self.port), oracle)

    def log_tail(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""

    def close(self) -> None:
        """Stop it unless it was stopped."""
        if self._process is not None:
            self.stop()


@dataclass(frozen=True)
class Live:
    """A running server with people in its database, and a client of it."""

    server: LiveServer
    client: Client
    people: People


class Launcher:
    """Start servers on databases of their own; people: gives the people that every copy holds."""

    def __init__(self, databases: Databases, people: Callable[[], People], oracle: Oracle) -> None:
        self._databases = databases
        self._people = people
        self._oracle = oracle

    @contextmanager
    def launched(self, folder: Path, *, workers: int = 2, **variables: str) -> Iterator[Live]:
        """Hold a running server; variables are settings named without ACCORD_."""
        url = self._databases.create(folder, "peopled")
        server = LiveServer(read_settings(folder, database_url=url), workers=workers, **variables)
        try:
            yield Live(server, server.client(self._oracle), self._people())
        finally:
            server.close()
            self._databases.drop(url)


def _environment(settings: Settings, port: int, workers: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}
    return kept | _prefixed(
        {
            "bind": f"127.0.0.1:{port}",
            "workers": str(workers),
            "data_dir": settings.data_dir,
            "database_url": settings.database_url,
            "secret_keys": ",".join(settings.secret_keys),
            "rate_profiles": UNLIMITED_POSTS,
        }
    )


def _prefixed(variables: dict[str, str]) -> dict[str, str]:
    return {f"ACCORD_{name.upper()}": value for name, value in variables.items()}
