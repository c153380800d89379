"""What every test may ask for: databases of its own, a judged client, people, settings, a clock that stands still."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path

import pytest

from core.kernel import clock
from core.kernel import settings as kernel_settings
from core.kernel.settings import Settings
from handlers.service import build
from models import database as database_door
from server.logs import Log
from server.runtime import Runtime
from server.service import Service
from tests import databases as sources
from tests import postgres
from tests.client import Client, InProcess
from tests.factories.people import People, make_people
from tests.live import Launcher, Live
from tests.oracle import Oracle

ROOT = Path(__file__).parent.parent
MEMORY = "/dev/shm"
_ROOM_BYTES = 4 << 30


def pytest_configure() -> None:
    """Work in memory where there is room and TMPDIR says nothing else: the suite makes and drops thousands of databases."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = MEMORY
        tempfile.tempdir = None  # asks the environment again


def _has_room(folder: str) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --backend, which narrows the tests that use a database to one of the two."""
    parser.addoption("--backend", choices=sources.BACKENDS, help="run database tests on this backend only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses a database on both."""
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--backend")
        metafunc.parametrize("backend", [chosen] if chosen else sources.BACKENDS, scope="session")


def pytest_collection_finish() -> None:
    """Let the collector rest, as a worker does: half of the time to build an application was walks over what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin every test without settings, so that none lives on what an earlier one installed."""
    monkeypatch.setattr(kernel_settings, "_current", None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give dev settings with a data folder of the test's own; no database is made."""
    return sources.read_settings(tmp_path)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """Hold one PostgreSQL server for the whole session."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """Give the second opinion on the published contract."""
    return Oracle(json.loads((ROOT / "models/contract/openapi.json").read_text()))


class PeopledTemplates:
    """Put people into a template, and remember them for the tests that get a copy of it."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._people: People | None = None

    def fill(self, settings: Settings) -> None:
        """Make the people in the bound database."""
        oracle = self._request.getfixturevalue("oracle")
        with _runtime(build(settings)) as built:
            self._people = make_people(Client(InProcess(built.wsgi), oracle))

    def people(self) -> People:
        """Return them, each test its own copies."""
        assert self._people is not None
        return deepcopy(self._people)


@pytest.fixture(scope="session")
def peopled_templates(backend: str, request: pytest.FixtureRequest) -> PeopledTemplates:
    """Give the people of this backend's template."""
    return PeopledTemplates(request)


@pytest.fixture(scope="session")
def databases(
    backend: str,
    peopled_templates: PeopledTemplates,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> sources.Databases:
    """Give the source of databases of the backend that the test runs on."""
    folder = tmp_path_factory.mktemp(backend)
    fills = {"migrated": ("empty", sources.migrate), "peopled": ("migrated", peopled_templates.fill)}
    if backend == "sqlite":
        return sources.SqliteDatabases(folder, fills)
    return sources.PostgresDatabases(folder, fills, request.getfixturevalue("postgres_server"))


@pytest.fixture
def empty_database(databases: sources.Databases, tmp_path: Path) -> Iterator[Settings]:
    """Bind a database without tables, for tests of migrations, and give its settings."""
    yield from _bound(databases, tmp_path, "empty")


@pytest.fixture
def database(databases: sources.Databases, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Bind a fresh migrated database, on SQLite and on PostgreSQL in turn, and install and give its settings.

    A test that asks for `people` finds them in it. `@pytest.mark.settings(profile="production")` changes settings.
    """
    marker = request.node.get_closest_marker("settings")
    template = "peopled" if "people" in request.fixturenames else "migrated"
    yield from _bound(databases, tmp_path, template, **(marker.kwargs if marker else {}))


def _bound(databases: sources.Databases, folder: Path, template: str, **variables: str) -> Iterator[Settings]:
    url = databases.create(folder, template)
    settings = sources.read_settings(folder, database_url=url, **variables)
    kernel_settings.install(settings)
    database_door.bind(settings)
    try:
        yield settings
    finally:
        sources.close()
        databases.drop(url)


@pytest.fixture
def people(database: Settings, peopled_templates: PeopledTemplates) -> People:
    """Give ada (administrator), ben and cyn (members), signed in with a token and a session each."""
    return peopled_templates.people()


@pytest.fixture
def service(database: Settings) -> Service:
    """Build the product's service on the test's database."""
    return build(database)


@pytest.fixture
def runtime(service: Service) -> Iterator[Runtime]:
    """Build what a worker runs; `start()` makes it claim jobs by itself, else `run_jobs` does."""
    with _runtime(service) as built:
        yield built


@pytest.fixture
def client(runtime: Runtime, oracle: Oracle) -> Client:
    """Give a client of the service in this process; every exchange is judged against the contract."""
    return Client(InProcess(runtime.wsgi), oracle)


@pytest.fixture
def run_jobs(service: Service) -> Callable[[], int]:
    """Run every job that is due, here and now, and return how many there were."""

    def run() -> int:
        count = 0
        while claimed := service.ports.jobs.claim("tests", 100):
            for job in claimed:
                service.ports.jobs.run(job)
            count += len(claimed)
        return count

    return run


@contextmanager
def _runtime(service: Service) -> Iterator[Runtime]:
    with (Path(service.settings.data_dir) / "test.log").open("ab") as log:
        built = Runtime(service, Log("info", log.fileno()))
        try:
            yield built
        finally:
            built.stop()


@pytest.fixture(scope="session")
def launcher(databases: sources.Databases, peopled_templates: PeopledTemplates, oracle: Oracle) -> Launcher:
    """Give what starts servers on copies of the peopled template."""
    return Launcher(databases, peopled_templates.people, oracle)


@pytest.fixture(scope="session")
def live(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Hold one running server of 2 workers per backend, shared by the tests that leave it usable."""
    with launcher.launched(tmp_path_factory.mktemp("live")) as running:
        yield running


@pytest.fixture
def launch(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Start servers that the test may harm: launch(workers=2, heartbeat_seconds="1"); all are stopped at its end."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(launcher.launched(_subfolder(tmp_path), **options))


def _subfolder(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the end of the server's log beneath a failure."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for value in item.funcargs.values():
            if isinstance(value, Live):
                report.sections.append(("server log", value.server.log_tail()))
    return report


class FrozenClock:
    """A clock that moves only when told."""

    def __init__(self, start_seconds: float) -> None:
        self.seconds = start_seconds

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@pytest.fixture
def frozen_clock() -> Iterator[FrozenClock]:
    """Hold time still at the present second; `advance(seconds)` moves it."""
    frozen = FrozenClock(float(int(time.time())))
    former = clock.set_source(frozen)
    yield frozen
    clock.set_source(former)
