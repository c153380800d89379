"""The worker over real sockets: what it refuses, how long it waits, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30.0


class Small:
    """A running small_server."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("ACCORD_", "PROMETHEUS"))}
        environment |= {
            "ACCORD_BIND": f"127.0.0.1:{self.port}",
            "ACCORD_DATA_DIR": str(data_dir),
            "ACCORD_WORKERS": "1",
        }
        environment |= {f"ACCORD_{name.upper()}": value for name, value in settings.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.server.small_server"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
        )
        assert self.process.stderr is not None
        ready = self.process.stderr.readline()
        assert b"ready" in ready, ready + self.process.stderr.read()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """Open a connection that fails rather than hangs."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(PATIENCE_SECONDS)
        return connection

    def exchange(self, data: bytes) -> bytes:
        """Send bytes and read until the server closes."""
        with self.connect() as connection:
            connection.sendall(data)
            return _read_all(connection)

    def end(self) -> None:
        """Stop it, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)
        assert self.process.stderr is not None
        self.process.stderr.close()


def _read_all(connection: socket.socket) -> bytes:
    data = b""
    while received := connection.recv(65536):
        data += received
    return data


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    server = Small(
        tmp_path_factory.mktemp("data"),
        header_timeout_seconds="0.4",
        idle_timeout_seconds="1.2",
        body_timeout_seconds="0.4",
    )
    yield server
    server.end()


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (b"400", HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        (b"400", HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (b"400", HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        (b"400", HEAD + b"Content-Length: +1\r\n\r\na"),
        (b"400", HEAD + b"Content-Length: 1_0\r\n\r\na"),
        (b"400", HEAD + b"Content-Length : 1\r\n\r\na"),
        (b"400", HEAD + b"X-A: b\r\n folded\r\n\r\n"),
        (b"400", HEAD + b"X-A: b\x00c\r\n\r\n"),
        (b"400", HEAD + b"no colon\r\n\r\n"),
        (b"400", b"GET / HTTP/1.1\r\n\r\n"),
        (b"400", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        (b"400", b"GET /\r\n\r\n"),
        (b"400", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"400", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        (b"400", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"414", b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        (b"431", HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(40)) + b"\r\n"),
    ],
)
def test_request_is_refused_when_its_head_could_be_read_in_two_ways(
    small: Small, status: bytes, request_bytes: bytes
) -> None:
    answer = small.exchange(request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert b"application/problem+json" in answer
    assert b"X-Request-Id: " in answer


def test_headers_reach_the_application_joined_and_without_underscores(small: Small) -> None:
    answer = small.exchange(
        b"GET http://a/environ?q=1 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nX_B: 3\r\nCookie: a=1\r\nCookie: b=2\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert b'"HTTP_X_A":"1,2"' in answer
    assert b"X_B" not in answer
    assert b'"HTTP_COOKIE":"a=1; b=2"' in answer
    assert b'"QUERY_STRING":"q=1"' in answer


def test_body_is_read_whole_when_it_is_chunked(small: Small) -> None:
    answer = small.exchange(
        HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert answer.endswith(b"\r\n\r\nabcde")


def test_several_requests_are_answered_when_they_come_on_one_connection(small: Small) -> None:
    one = HEAD + b"Content-Length: 2\r\n\r\nab"
    answer = small.exchange(one + one + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert answer.count(b"HTTP/1.1 200 OK") == 3


def test_answer_arrives_when_the_body_of_the_request_was_not_read(small: Small) -> None:
    answer = small.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"a" * 900_000)
    assert answer.startswith(b"HTTP/1.1 200 OK")


INNER = b"GET /environ?inner HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
UNREAD = b"POST /slow/0.0 HTTP/1.1\r\nHost: a\r\n"  # 405: its body is never read


@pytest.mark.parametrize(
    "request_bytes",
    [
        UNREAD + b"Content-Length: %d\r\n\r\n" % len(INNER) + INNER,
        UNREAD + b"Content-Length: 900000\r\n\r\n" + INNER + b"a" * 900_000,
        UNREAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(INNER) + INNER + b"\r\n0\r\n\r\n",
        UNREAD + b"Transfer-Encoding: chunked\r\n\r\n" + INNER,
        UNREAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"e" * 9000 + b"\r\na\r\n0\r\n\r\n" + INNER,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n" + INNER,
    ],
    ids=lambda sent: str(sent[:110]),
)
def test_no_request_is_read_out_of_a_body(small: Small, request_bytes: bytes) -> None:
    answer = small.exchange(request_bytes)
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert b"inner" not in answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize("body", [b"1\r\na\r\n0\r\nX-Trailer: b\r\n\r\n", b"1;a=b\r\na\r\n0\r\n\r\n"])
def test_trailers_and_extensions_of_chunks_are_passed_over(small: Small, body: bytes) -> None:
    answer = small.exchange(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + INNER)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"inner" in answer


def test_body_is_asked_for_when_the_client_expects_it(small: Small) -> None:
    with small.connect() as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert _read_all(connection).endswith(b"\r\n\r\nab")


def test_old_client_is_answered_and_its_connection_closed(small: Small) -> None:
    answer = small.exchange(b"GET / HTTP/1.0\r\n\r\n")
    assert b" 200 OK" in answer.partition(b"\r\n")[0]
    assert b"chunked" not in answer


@pytest.mark.parametrize("before", [b"\r\n", b"\n"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_an_empty_line_before_a_request_is_ignored_and_a_bare_line_end_taken(
    small: Small, before: bytes, end: bytes
) -> None:
    head = end.join([b"GET / HTTP/1.1", b"Host: a", b"Connection: close", b"", b""])
    assert small.exchange(before + head).startswith(b"HTTP/1.1 200 ")
    assert small.exchange(b"\n\n" + head).startswith(b"HTTP/1.1 400 ")


def test_head_that_comes_in_parts_is_read_whole(small: Small) -> None:
    with small.connect() as connection:
        for part in (HEAD[:7], HEAD[7:] + b"X-A: ", b"b\r", b"\nConnection: close\r\n\r", b"\n"):
            connection.sendall(part)
            time.sleep(0.02)
        assert _read_all(connection).startswith(b"HTTP/1.1 200 ")


def test_large_answer_arrives_whole(small: Small) -> None:
    assert len(httpx.get(f"{small.url}/large/3000000").content) == 3_000_000


@pytest.mark.parametrize("sent", [b"GET / HT", HEAD + b"X-A: ", HEAD])
def test_half_sent_head_is_answered_408_when_its_deadline_passes(small: Small, sent: bytes) -> None:
    assert small.exchange(sent).startswith(b"HTTP/1.1 408 ")


def test_connection_is_closed_when_nothing_is_ever_sent(small: Small) -> None:
    assert small.exchange(b"") == b""


def test_connection_is_closed_when_it_stays_idle_after_a_request(small: Small) -> None:
    answer = small.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1") == 1


def test_request_ends_when_its_body_does_not_come(small: Small) -> None:
    answer = small.exchange(HEAD + b"Content-Length: 10\r\n\r\nabc")
    assert not answer.startswith(b"HTTP/1.1 200")


def test_deadlines_are_kept_when_a_look_at_the_connections_has_failed(small: Small) -> None:
    assert httpx.post(f"{small.url}/fault").status_code == 204
    assert small.exchange(b"GET / HT").startswith(b"HTTP/1.1 408 ")


def test_slow_handler_is_not_cut_by_the_deadline_of_its_body(small: Small) -> None:
    assert httpx.get(f"{small.url}/slow/1.5", timeout=PATIENCE_SECONDS).json() == {"slept": 1.5}


def test_stop_ends_streams_idle_and_half_sent_connections_at_once_and_lets_a_request_finish(tmp_path: Path) -> None:
    server = Small(tmp_path, graceful_timeout_seconds="20", workers="2")
    connections = [server.connect() for _ in range(12)]
    idle, half, streams = connections[:4], connections[4:8], connections[8:]
    for each in idle:
        each.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"200 OK" in each.recv(65536)
    for each in half:
        each.sendall(b"GET / HTTP/1.1\r\nHost:")
    for each in streams:
        each.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"retry: " in _read_until(each, b"retry: ")
    busy = server.connect()
    busy.sendall(b"GET /slow/0.7 HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.2)
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert all(b"retry: " in _read_all(each) for each in streams)
    assert all(_read_all(each) == b"" for each in idle + half)
    answer = _read_all(busy)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answer
    server.process.wait(PATIENCE_SECONDS)
    # The promise is two seconds; the graceful timeout of 20 is what a failure would take.
    assert time.monotonic() - started < 10
    server.end()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """Run a worker whose heartbeat never comes."""
    server = Small(tmp_path_factory.mktemp("patient"), heartbeat_seconds="300")
    yield server
    server.end()


def test_stream_ends_when_its_client_leaves_though_nothing_is_sent(patient: Small) -> None:
    with patient.connect() as stream:
        stream.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        _read_until(stream, b"retry: ")
        assert _open_streams(patient) == 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _open_streams(patient) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _open_streams(patient) == 0


def test_open_stream_costs_less_than_30_kilobytes(patient: Small) -> None:
    worker = httpx.get(patient.url).json()["pid"]
    with ExitStack() as stack:
        for count in range(1000):
            if count == 500:  # what the first ones make serves all
                before = _private_kilobytes(worker)
            stream = stack.enter_context(patient.connect())
            stream.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            _read_until(stream, b"retry: ")
        assert _open_streams(patient) == 1000
        each = (_private_kilobytes(worker) - before) / 500
    assert 1 < each < 30


def test_stream_goes_on_when_the_body_of_its_request_is_never_read(patient: Small) -> None:
    with patient.connect() as stream:
        stream.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        _read_until(stream, b"retry: ")
        httpx.post(f"{patient.url}/publish", content=b"{}")
        assert b"event: said" in _read_until(stream, b"event: said")


def _open_streams(server: Small) -> int:
    found = re.findall(r"^accord_open_streams\{.*\} ([0-9.]+)$", httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    return int(sum(map(float, found)))


def _private_kilobytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(size) for size in re.findall(r"^Private_\w+: +([0-9]+) kB$", text, re.MULTILINE))


def _read_until(connection: socket.socket, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data and (received := connection.recv(65536)):
        data += received
    return data


def test_worker_is_replaced_and_metrics_stay_exact_when_one_is_killed(tmp_path: Path) -> None:
    server = Small(tmp_path, workers="2")
    with httpx.Client(base_url=server.url) as client:
        former = client.get("/").json()["pid"]
        os.kill(former, signal.SIGKILL)
    pids: set[int] = set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(pids - {former}) < 2 and time.monotonic() < deadline:
        pids.add(httpx.get(server.url).json()["pid"])
    assert len(pids) == 2
    assert former not in pids
    assert "accord_connections" in httpx.get(f"{server.url}/metrics").text
    metrics = list((tmp_path / "metrics").glob("*/gauge_live*"))
    assert not [file for file in metrics if file.name.endswith(f"_{former}.db")]
    server.end()
