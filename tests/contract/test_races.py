"""Requests that meet each other: duplicates have one effect, two changes of one version have one winner, a dead worker's key is freed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from core.system.idempotency import SqlIdempotencyStore
from models.database import read
from models.tables.jobs import JobRow
from server.idempotency import Keeper
from tests.client import Client
from tests.conftest import FrozenClock
from tests.factories.people import People
from tests.live import Live

AT_ONCE = 12
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def _at_once(requests: list[dict[str, Any]]) -> list[httpx.Response]:
    """Send requests over connections that are open already, together."""
    together = Barrier(len(requests))

    def send(request: dict[str, Any]) -> httpx.Response:
        base = str(httpx.URL(request["url"]).copy_with(path="/healthz"))
        with httpx.Client(timeout=30) as client:
            client.get(base)
            together.wait(30)
            return client.request(**request)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_duplicates_have_one_effect_when_they_come_at_once(live: Live) -> None:
    headers = live.people.ada.headers("POST")
    for number in range(4):
        title, keyed = f"Only {number}", {**headers, "Idempotency-Key": f"race-{number}"}
        request = {"method": "POST", "url": f"{live.server.url}/api/conversations", "headers": keyed}
        answers = _at_once([{**request, "json": {"title": title}}] * AT_ONCE)
        good = [answer for answer in answers if answer.is_success]
        assert {answer.status_code for answer in answers} <= {good[0].status_code, 409}
        assert len({answer.content for answer in good}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in good) == 1
        listed = httpx.get(f"{live.server.url}/api/conversations", headers=headers, params={"limit": 100}).text
        assert listed.count(f'"{title}"') == 1


def test_one_of_two_changes_wins_when_both_name_the_same_version(live: Live) -> None:
    headers, url = live.people.ada.headers("PATCH"), f"{live.server.url}/auth/admin/users/{live.people.cyn.user_id}"
    for number in range(12):
        tag = httpx.get(url, headers=headers).headers["ETag"]
        names = [f"Cyn {number} {letter}" for letter in "abc"]
        answers = _at_once(
            [
                {"method": "PATCH", "url": url, "headers": {**headers, "If-Match": tag}, "json": {"first_name": name}}
                for name in names
            ]
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412], [each.text for each in answers]
        (winner,) = [name for name, answer in zip(names, answers, strict=True) if answer.status_code == 200]
        assert httpx.get(url, headers=headers).json()["first_name"] == winner


class Killed(BaseException):
    """Stands for kill -9: nothing behind it runs."""


def test_key_of_a_dead_worker_is_freed_when_its_lease_ends(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock
) -> None:
    def die(*_: object, **__: object) -> None:
        raise Killed

    keyed: dict[str, Any] = {"body": ASK, "as_": people.ben, "headers": {"Idempotency-Key": "k"}}
    with monkeypatch.context() as dying:
        dying.setattr(SqlIdempotencyStore, "store", die)
        dying.setattr(Keeper, "release", lambda *_: None)
        with pytest.raises(Killed):
            client.call("completions_create", **keyed)
    assert _jobs() == 0
    assert client.call("completions_create", **keyed).status == 409
    frozen_clock.advance(61)
    for _ in range(2):
        with client.stream("completions_create", **keyed) as stream:
            assert stream.status == 200
    assert _jobs() == 1


def _jobs() -> int:
    with read():
        return int(JobRow.select().count())
