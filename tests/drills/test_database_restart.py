"""PostgreSQL goes away under traffic, or falls silent, and comes back: 503 meanwhile, never 401 or 500, no restart of ours."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests import postgres
from tests.client import Client, Person
from tests.databases import read_settings
from tests.drills.ledger import Ledger
from tests.drills.scene import WORD_MS, Scene, await_true
from tests.factories.conversations import make_talk
from tests.factories.people import make_people
from tests.links import Link
from tests.live import Live, LiveServer
from tests.oracle import Oracle

WORDS = 300
AWAY_SECONDS = 3.0
RECOVERY_SECONDS = 15.0


@pytest.fixture
def database_server() -> Iterator[postgres.PostgresServer]:
    """Give a PostgreSQL of the drill's own, to be stopped and started."""
    server = postgres.PostgresServer()
    yield server
    server.close()


@pytest.fixture
def scene(database_server: postgres.PostgresServer, oracle: Oracle, tmp_path: Path) -> Iterator[Scene]:
    """Give a conversation on a server of two workers over it."""
    url = database_server.url(postgres.create_database(database_server))
    with _scene(url, url, oracle, tmp_path, timeout_seconds=2) as found:
        yield found


@contextmanager
def _scene(url: str, reached_by: str, oracle: Oracle, folder: Path, *, timeout_seconds: int) -> Iterator[Scene]:
    variables = {"ai_echo_delay_ms": str(WORD_MS), "heartbeat_seconds": "1"}
    variables |= {"database_timeout_seconds": str(timeout_seconds)}
    server = LiveServer(read_settings(folder, database_url=reached_by), **variables)
    try:
        client = server.client(oracle)
        live = Live(server, client, make_people(client))
        talk = make_talk(client, live.people.ada.by_token(), live.people.ben)
        yield Scene(live, Ledger(url), talk.conversation_id, talk.root_id)
    finally:
        server.close()


class Traffic(Thread):
    """One caller's requests without pause; seen: when which status came."""

    def __init__(self, client: Client, person: Person, root_id: str, *, writes: bool) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._person = person
        self._root_id = root_id
        self._writes = writes
        self.seen: list[tuple[float, str]] = []
        self.is_stopped = False

    def run(self) -> None:
        """Ask until stopped."""
        while not self.is_stopped:
            try:
                status = str(self._send())
            except (OSError, AssertionError) as error:
                status = f"{type(error).__name__}: {error}"
            self.seen.append((time.monotonic(), status))
            time.sleep(0.02)

    def _send(self) -> int:
        if self._writes:
            body = {"content": "hello", "role": "system"}
            answer = self._client.call("messages_reply", path={"parent_id": self._root_id}, body=body, as_=self._person)
        else:
            answer = self._client.call("threads_get_tree", path={"root_id": self._root_id}, as_=self._person)
        return answer.status

    def good_after(self, moment: float) -> bool:
        """Say whether a request has succeeded since then."""
        return any(at > moment and status in {"200", "201"} for at, status in self.seen)


@pytest.mark.long
def test_callers_see_503_and_nothing_else_when_postgresql_restarts(
    database_server: postgres.PostgresServer, scene: Scene
) -> None:
    with _under_traffic(scene):
        database_server.stop()
        time.sleep(AWAY_SECONDS)
        database_server.start()


@pytest.mark.long
def test_callers_see_503_and_nothing_else_when_the_line_to_postgresql_falls_silent(
    database_server: postgres.PostgresServer, oracle: Oracle, tmp_path: Path
) -> None:
    """What was open then carries nothing any more, and nobody closes it."""
    url = database_server.url(postgres.create_database(database_server))
    with (
        closing(Link(url)) as link,
        _scene(url, link.url, oracle, tmp_path, timeout_seconds=1) as scene,
        _under_traffic(scene),
        link.silent(),
    ):
        time.sleep(AWAY_SECONDS)


@contextmanager
def _under_traffic(scene: Scene) -> Iterator[None]:
    """Have people read, write, follow and ask while the block takes the database away, and reckon up behind it."""
    traffic = [
        Traffic(scene.client, person, scene.root_id, writes=writes)
        for person in (scene.ada, scene.ben)
        for writes in (True, False)
    ]
    readers = scene.readers()
    for caller in traffic:
        caller.start()
    asked = [scene.ask(WORDS)]
    workers = scene.live.server.workers()
    time.sleep(1.0)
    yield
    back = time.monotonic()
    recovery = await_true(
        lambda: all(caller.good_after(back) for caller in traffic), "no recovery", seconds=RECOVERY_SECONDS
    )
    scene.await_answer(asked[0])
    asked.append(scene.ask(20))
    scene.await_answer(asked[1])
    for caller in traffic:
        caller.is_stopped = True
    for caller in traffic:
        caller.join(30)
        assert not caller.is_alive(), "a request is stuck"
    statuses = Counter(status for caller in traffic for _, status in caller.seen)
    print(f"\n{dict(statuses)}; every caller was served {recovery:.1f} s after the database was back")
    assert set(statuses) == {"200", "201", "503"}
    assert scene.live.server.workers() == workers, "a worker was replaced"
    scene.check_answers(asked[:1], words=WORDS)
    scene.check_answers(asked[1:], words=20)
    scene.check_histories(readers)


@pytest.mark.long
def test_probes_answer_503_within_two_seconds_while_postgresql_is_away(
    database_server: postgres.PostgresServer, scene: Scene
) -> None:
    probes = ("health_check_readiness", "health_check_dependencies")
    database_server.stop()
    for probe in probes * 3:
        began = time.monotonic()
        assert scene.client.call(probe).status == 503
        assert time.monotonic() - began < 2
    assert scene.client.call("health_check_liveness").status == 200
    assert scene.client.call("health_report").status == 200
    for person in (None, scene.ada):
        assert scene.client.call("tokens_get_me", as_=person).status == 503
    database_server.start()
    await_true(
        lambda: all(scene.client.call(probe).status == 200 for probe in probes), "no recovery", seconds=RECOVERY_SECONDS
    )
