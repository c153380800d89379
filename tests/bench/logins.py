"""What logins cost everybody else: p99 of a small authenticated GET while passwords are hashed, and how many are hashed."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from statistics import median
from typing import NamedTuple
from urllib.parse import urlencode

from tests.bench.accounts import EMAIL, PASSWORD, Account
from tests.bench.processes import Server
from tests.bench.rounds import Line
from tests.bench.stacks import bearer

_READERS = 4
_PAUSE_SECONDS = 0.01
_BURST = 120
_RATES = {5: 2.0, 20: 5.0}
"""Logins a second → how many times its idle value p99 may be."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Login(NamedTuple):
    """How one login was answered."""

    status: int
    says_when: bool


def lines(server: Server, account: Account, *, rounds: int, seconds: float) -> list[Line]:
    """Measure phases in turn, without logins and with each rate of them, and compare their medians."""
    found: dict[int, list[float]] = {rate: [] for rate in (0, *_RATES)}
    answers: list[Login] = []
    with ProcessPoolExecutor(_READERS, get_context("spawn")) as readers:  # so that no reader waits for another's lock
        _read_for(readers, server.port, account.token, 1.0)
        for _ in range(rounds):
            for rate, p99s in found.items():
                with _logging_in(server.port, rate, answers):
                    p99s.append(_p99_ms(_read_for(readers, server.port, account.token, seconds)))
    idle = median(found[0])
    told = [Line(f"GET: p99 without logins, ms (of {_READERS} readers that pause)", idle, None)]
    for rate, bound in _RATES.items():
        told.append(Line(f"GET: p99 at {rate} logins/s / without", median(found[rate]) / idle, bound, is_ceiling=True))
    taken = Counter(answer.status for answer in answers)
    told.append(Line("logins: taken of those sent at a rate", taken[200] / sum(taken.values()), None))
    return [*told, *_overload(server.port)]


def _overload(port: int) -> list[Line]:
    """Send many logins at once: the queue takes some, and the others are told when to come again."""
    began = time.perf_counter()
    with ThreadPoolExecutor(_BURST) as pool:
        answers = list(pool.map(lambda _: _log_in(port), range(_BURST)))
    elapsed = time.perf_counter() - began
    taken = sum(answer.status == 200 for answer in answers)
    refused = [answer for answer in answers if answer.status != 200]
    right = [answer for answer in refused if answer.status == 503 and answer.says_when]
    return [
        Line("logins: a second, sent all at once", taken / elapsed, None),
        Line(f"logins: taken of {_BURST} at once", taken, 32),
        Line("logins: of those refused, 503 with Retry-After", len(right) / max(1, len(refused)), 1),
    ]


@contextmanager
def _logging_in(port: int, rate: int, answers: list[Login]) -> Iterator[None]:
    """Send `rate` logins a second, whether or not those before were answered."""
    stop = threading.Event()
    with ThreadPoolExecutor(64) as pool:

        def send() -> None:
            due = time.monotonic()
            while rate and not stop.wait(max(0.0, due - time.monotonic())):
                pool.submit(lambda: answers.append(_log_in(port)))
                due += 1 / rate

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            stop.set()
            sender.join()


def _log_in(port: int) -> Login:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/auth/token", urlencode({"username": EMAIL, "password": PASSWORD}), _FORM)
        answer = connection.getresponse()
        answer.read()
        return Login(answer.status, (answer.getheader("Retry-After") or "").isdigit())
    finally:
        connection.close()


def _read_for(readers: Executor, port: int, token: str, seconds: float) -> list[float]:
    """Return the latencies in ms of readers that ask, wait for the answer, and pause."""
    read = [readers.submit(_read, port, token, seconds) for _ in range(_READERS)]
    return [latency for done in read for latency in done.result()]


def _read(port: int, token: str, seconds: float) -> list[float]:
    connection, found = http.client.HTTPConnection("127.0.0.1", port, timeout=60), []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        connection.request("GET", "/auth/me", headers=bearer(token))
        answer = connection.getresponse()
        if not answer.read() or answer.status != 200:
            raise RuntimeError(f"GET /auth/me: {answer.status}")
        found.append((time.perf_counter() - began) * 1000)
        time.sleep(_PAUSE_SECONDS)
    connection.close()
    return found


def _p99_ms(latencies: list[float]) -> float:
    return sorted(latencies)[int(len(latencies) * 0.99)]
