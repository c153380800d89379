"""Credentials that many ask for at once, over HTTP: one first administrator, one successor of a token."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.databases import Databases, read_settings
from tests.factories.people import PASSWORD
from tests.live import Live, LiveServer

THREADS = 20
GRACE_SECONDS = 10


def _race(url: str, requests: list[dict[str, Any]]) -> tuple[list[httpx.Response], float]:
    """Send requests over connections that are open already, from threads that begin together; and when they began."""
    began: list[float] = []
    together = Barrier(THREADS, action=lambda: began.append(time.monotonic()))

    def send(mine: list[dict[str, Any]]) -> list[httpx.Response]:
        with httpx.Client(base_url=url, timeout=60, verify=False) as client:
            client.get("/healthz")
            together.wait(60)
            return [client.request(**request) for request in mine]

    shares = [requests[number::THREADS] for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for answers in pool.map(send, shares) for answer in answers], began[0]


def _doors(number: int) -> dict[str, Any]:
    email = f"p{number}@example.com"
    if number % 2:
        return {"method": "POST", "url": "/auth/bootstrap", "json": {"email": email, "password": PASSWORD}}
    body = {"username": f"p{number}", "email": email, "password": PASSWORD}
    return {"method": "POST", "url": "/api/setup", "json": body}


def test_one_administrator_is_made_when_100_rush_both_doors_of_two_workers(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.create(tmp_path, "migrated")
    server = LiveServer(read_settings(tmp_path, database_url=url), workers=2)
    try:
        answers, _ = _race(server.url, [_doors(number) for number in range(100)])
        users = httpx.get(f"{server.url}/auth/admin/users").json()  # as the dev profile's user
    finally:
        server.close()
        databases.drop(url)
    counted = Counter(answer.status_code for answer in answers)
    assert (len(answers), counted[200]) == (100, 1)
    assert counted.keys() <= {200, 400, 409, 503}, counted
    assert [[role["name"] for role in user["roles"]] for user in users] == [["superadmin", "member"]]


def test_one_successor_is_made_when_200_refresh_at_once_and_later_reuse_ends_the_family(live: Live) -> None:
    form = {"username": live.people.cyn.email, "password": PASSWORD}
    first = httpx.post(f"{live.server.url}/auth/token", data=form).json()["access_token"]
    refresh = {"method": "POST", "url": "/auth/refresh", "headers": {"Authorization": f"Bearer {first}"}}
    answers, began = _race(live.server.url, [refresh] * 200)
    ended = time.monotonic()
    if ended - began >= GRACE_SECONDS:
        pytest.skip("too much else to do on this machine: the grace was over before the last was answered")
    assert Counter(answer.status_code for answer in answers) == {200: 200}
    (successor,) = {answer.json()["access_token"] for answer in answers}
    me = {"method": "GET", "url": "/auth/me", "headers": {"Authorization": f"Bearer {successor}"}}
    with httpx.Client(base_url=live.server.url) as client:
        assert client.request(**me).status_code == 200
        time.sleep(GRACE_SECONDS + 0.5 - (time.monotonic() - ended))
        assert client.request(**refresh).status_code == 401
        assert client.request(**me).status_code == 401
