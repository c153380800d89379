"""Log and metrics of two workers: one line and one count for each request, also of a worker that was killed."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.client import Client, Stream, StreamEnded
from tests.drills.scene import await_true
from tests.live import Live, LiveServer

REQUESTS, STREAMS = 200, 12
PATIENCE_SECONDS = 20.0
Launch = Callable[..., Live]
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def _scrape(client: Client) -> dict[tuple[str, frozenset[str]], float]:
    """Return the metrics: (name, values of its labels) → value."""
    text = client.call("metrics_get").text
    return {
        (name, frozenset(value for _, value in _LABEL.findall(labels))): float(value)
        for name, labels, value in _SAMPLE.findall(text)
    }


def _requests(client: Client, operation: str, status: int = 200) -> float:
    return _scrape(client).get(("accord_requests_total", frozenset({operation, str(status)})), 0.0)


def _open_streams(client: Client) -> float:
    return _scrape(client).get(("accord_open_streams", frozenset({"streams_open_conversation"})), 0.0)


def _send(client: Client, prefix: str) -> set[str]:
    """Send requests side by side, each on a connection of its own, and return their ids."""
    ids = [f"{prefix}-{number}" for number in range(REQUESTS)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda id: client.call("health_check_liveness", headers={"X-Request-Id": id}), ids))
    assert all(answer.status == 200 for answer in answers)
    return set(ids)


def _lines(log: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == "request"]


def _counting_workers(live: Live) -> set[str]:
    folder = Path(live.server.settings.data_dir) / "metrics" / str(live.server.process.pid)
    return {file.stem.rpartition("_")[2] for file in folder.glob("counter_*.db")}


def _await_successor(server: LiveServer, victim: int) -> None:
    await_true(
        lambda: len(server.workers()) == 2 and victim not in server.workers(), "no successor", seconds=PATIENCE_SECONDS
    )


@contextmanager
def _frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _has_ended(stream: Stream) -> bool:
    try:
        stream.next_event()
    except (StreamEnded, HTTPException, ConnectionError):  # by its worker's word, or cut
        return True
    return False


def test_each_request_is_logged_and_counted_once_though_a_worker_is_killed(launch: Launch) -> None:
    live = launch(workers=2)
    client, server = live.client, live.server
    first = _send(client, "first")
    assert _requests(client, "health_check_liveness") == REQUESTS
    duration = ("accord_request_duration_seconds_count", frozenset({"health_check_liveness"}))
    assert _scrape(client)[duration] == REQUESTS
    assert _counting_workers(live) >= {str(pid) for pid in server.workers()}

    victim = server.kill_worker()
    _await_successor(server, victim)
    assert _requests(client, "health_check_liveness") == REQUESTS
    second = _send(client, "second")
    assert _requests(client, "health_check_liveness") == 2 * REQUESTS
    assert _scrape(client)[duration] == 2 * REQUESTS
    logged = Counter(line["request_id"] for line in _lines(server.log) if line["operation"] == "health_check_liveness")
    assert logged == Counter(first | second)


def test_the_gauges_of_a_killed_worker_go_and_those_of_the_other_stay(launch: Launch) -> None:
    live = launch(workers=2)
    client, server, people = live.client, live.server, live.people
    made = client.call("conversations_create", body={"title": "Plans"}, as_=people.ada).json
    path = {"conversation_id": made["conversation_id"]}
    with ExitStack() as stack:
        streams: list[Stream] = []
        for other in server.workers():
            with _frozen(other):  # else one worker may take them all
                streams += [
                    stack.enter_context(client.stream("streams_open_conversation", path=path, as_=people.ada))
                    for _ in range(STREAMS // 2)
                ]
        assert _open_streams(client) == STREAMS
        victim = server.kill_worker()
        _await_successor(server, victim)
        client.call("threads_create", path=path, body={"content": "still here?", "role": "system"}, as_=people.ada)
        assert sum(not _has_ended(stream) for stream in streams) == STREAMS // 2
        assert _open_streams(client) == STREAMS // 2
        assert _requests(client, "streams_open_conversation") == STREAMS
    await_true(lambda: _open_streams(client) == 0, "streams are open", seconds=PATIENCE_SECONDS)
