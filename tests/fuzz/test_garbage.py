"""Garbage over raw sockets at every operation: no undeclared 5xx, no hang, no traceback, and a healthy server behind it."""

from __future__ import annotations

import os
import random
import re
import socket
import time
from collections import Counter
from collections.abc import Callable

import httpx

from tests.client import Person
from tests.live import Live
from tests.oracle import Operation

SECONDS = float(os.environ.get("ACCORD_TEST_GARBAGE_SECONDS", "8"))
HANG_SECONDS = 20.0
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "get", "\x00", "A" * 40)
TYPES = ("application/json", "application/JSON; charset=x", "multipart/form-data; boundary=x", "", ";;", "text/plain",
         "application/x-www-form-urlencoded", "application/json; charset=utf-8", "*/*", "\xff/\xfe")  # fmt: skip
NAMES = ("Content-Type", "Authorization", "Cookie", "If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID",
         "X-CSRF-TOKEN", "X-Request-Id", "Accept", "Expect", "Range", "Content-Encoding", "Transfer-Encoding", "Host",
         "Content-Length", "Connection", "Upgrade", "X-Forwarded-For", "Forwarded", "X_Y", "", "a b")  # fmt: skip
TEXTS = (
    "",
    "0",
    "-1",
    "null",
    "%00",
    "%",
    "%ff",
    "..",
    "%2e%2e%2f",
    "\u00e9",
    "a" * 300,
    "9" * 40,
    "'",
    "{}",
    "[]",
    "🙂",
)
BODIES = (b"", b"{}", b"[]", b"null", b"{", b'{"a":', b"[" * 2000, b"\x00", b"\xff\xfe", b'{"a":1e999}', b'"\\ud800"',
          b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--", b"a=1&a=2&%ff=%00", b"9" * 5000)  # fmt: skip
ALLOWED = {501, 503}
ENDS_ITS_CREDENTIAL = {"sessions_logout", "sessions_refresh", "tokens_revoke", "tokens_refresh"}


class Garbage:
    """Draws requests that are partly right; the same seed draws the same."""

    def __init__(self, operations: list[Operation], person: Person, seed: int) -> None:
        self._random = random.Random(seed)
        self._operations = operations
        self._person = person

    def request(self, number: int) -> bytes:
        """Return the bytes of one request for the number-th operation."""
        draw, operation = self._random, self._operations[number % len(self._operations)]
        method = operation.method.upper() if draw.random() < 0.8 else draw.choice(METHODS)
        headers = {"Host": "a"} if draw.random() < 0.98 else {}
        if draw.random() < 0.8 and operation.id not in ENDS_ITS_CREDENTIAL:
            headers |= self._person.headers(method)
        if draw.random() < 0.8:
            headers["Content-Type"] = draw.choice(TYPES)
        body = self._body()
        headers["Content-Length"] = str(len(body))
        for _ in range(draw.choice((0, 0, 1, 2))):
            headers[draw.choice(NAMES)] = self._text()
        lines = [f"{method} {self._target(operation)} HTTP/1.{draw.choice('1111110')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\nConnection: close\r\n\r\n" + body

    def _target(self, operation: Operation) -> str:
        draw = self._random
        target = re.sub(r"\{[^}]+\}", lambda _: self._text() or "x", operation.path)
        if draw.random() < 0.2:
            target += draw.choice(("/", "//", "/x", "%2f", "?", "#", "\t", "?" + "a=1&" * 1200))
        if draw.random() < 0.5:
            target += f"?{draw.choice(('limit', 'cursor', 'since', 'zz', ''))}={self._text()}"
        return target

    def _text(self) -> str:
        draw = self._random
        if draw.random() < 0.7:
            return draw.choice(TEXTS)
        return "".join(chr(draw.choice((draw.randrange(33, 127), draw.randrange(128, 0x2FF)))) for _ in range(9))

    def _body(self) -> bytes:
        draw = self._random
        if draw.random() < 0.7:
            return draw.choice(BODIES)
        return draw.randbytes(draw.choice((1, 40, 3000, 70_000)))


def _status(live: Live, sent: bytes) -> int:
    """Send one request and return the status of its answer; 0 when the connection was closed without one."""
    with socket.create_connection((live.server.host, live.server.port), timeout=HANG_SECONDS) as connection:
        try:
            connection.sendall(sent)
            data = connection.recv(65536)
        except ConnectionError:
            return 0
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", data)
    assert found or not data, data[:200]
    return int(found[1]) if found else 0


def test_garbage_is_refused_cleanly_by_every_operation(launch: Callable[..., Live]) -> None:
    live = launch(header_timeout_seconds="2", body_timeout_seconds="2")
    operations = list(live.client.oracle.operations.values())
    garbage = Garbage(operations, live.people.ada, seed=int(os.environ.get("ACCORD_TEST_GARBAGE_SEED", "5")))
    until, number = time.monotonic() + SECONDS, 0
    statuses: Counter[int] = Counter()
    while time.monotonic() < until or number < len(operations):
        sent = garbage.request(number)
        status = _status(live, sent)
        statuses[status] += 1
        assert status < 500 or status in ALLOWED, (status, sent[:600], live.server.log_tail(3000))
        number += 1
    print(f"{number} requests: {dict(sorted(statuses.items()))}")
    assert statuses[0] <= number / 20
    assert {200, 400, 401, 404, 405, 415, 422} <= statuses.keys()
    log = live.server.log.read_text()
    assert "Traceback" not in log
    assert "response_mismatched" not in log
    assert httpx.get(f"{live.server.url}/readyz", timeout=HANG_SECONDS).status_code == 200
