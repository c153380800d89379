"""Load: wrk where it is installed, else a keep-alive loader of our own on raw sockets; both give the same Result."""

from __future__ import annotations

import json
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

CONNECTIONS = 32
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class Target(NamedTuple):
    """What is asked of a server; `paths` are taken in turn, so that writes need not meet at one row."""

    method: str
    paths: tuple[str, ...]
    headers: dict[str, str]
    body: bytes = b""

    def request(self, path: str, host: str) -> bytes:
        """Return one HTTP/1.1 request."""
        headers = {"Host": host, **self.headers}
        if self.body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        lines = [f"{self.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


class Result(NamedTuple):
    """What the loader saw; cpu_ms, CPU time of the server per request, is added by who knows the server."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float = 0.0


class LoadError(RuntimeError):
    """The server refused, broke or lost requests: its figures would mean nothing."""


class NothingAnswered(LoadError):
    """No request was answered in the time: the server, or the machine, was too slow."""


def measure(port: int, target: Target, seconds: float, *, core: int | None) -> Result:
    """Keep CONNECTIONS requests in flight for `seconds`, from `core`.

    Raises:
        LoadError: an answer was not 2xx, or a connection failed.
    """
    if shutil.which("wrk"):
        return _wrk(port, target, seconds, core)
    done = subprocess.run(
        [*pinned(core), sys.executable, "-m", "tests.bench.load", str(port), str(seconds)],
        input=json.dumps([target.method, target.paths, target.headers, target.body.decode()]),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 30,
    )
    if done.returncode:
        raise LoadError(done.stderr[-2000:])
    return Result(*json.loads(done.stdout))


def pinned(core: int | None) -> list[str]:
    """Return the prefix that ties a command to one core; nothing where taskset is missing."""
    return ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []


def _wrk(port: int, target: Target, seconds: float, core: int | None) -> Result:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_lua(port, target))
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "--latency"]
        done = subprocess.run(
            [*pinned(core), *command, "-s", script.name, f"http://127.0.0.1:{port}{target.paths[0]}"],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 60,
        )
    return _parsed(done.stdout)


def _lua(port: int, target: Target) -> str:
    """Build every request once: formatting a request for each send would make wrk the bottleneck."""
    requests = ",".join(_lua_text(target.request(path, f"127.0.0.1:{port}")) for path in target.paths)
    return (
        f"local requests = {{{requests}}}\nlocal turn = 0\n"
        "request = function() turn = turn % #requests + 1; return requests[turn] end\n"
    )


def _lua_text(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in data) + '"'


def _parsed(text: str) -> Result:
    if re.search(r"Non-2xx|Socket errors: (?!connect 0, read 0, write 0, timeout 0)", text):
        raise LoadError(text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if rate is None or float(rate[1]) == 0:
        raise NothingAnswered(text)
    return Result(float(rate[1]), _percentile(text, 50), _percentile(text, 99))


def _percentile(text: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if found is None:
        raise LoadError(text)
    return float(found[1]) * _UNITS_MS[found[2]]


class _Loader:
    """One thread, one epoll, CONNECTIONS sockets with one request in flight each."""

    def __init__(self, port: int, target: Target) -> None:
        self._requests = [target.request(path, f"127.0.0.1:{port}") for path in target.paths]
        self._turn = 0
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._sent_at: dict[int, float] = {}
        self._partial: dict[int, bytes] = {}
        self.latencies_ms: list[float] = []
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[connection.fileno()] = connection
            self._poll.register(connection, select.EPOLLIN)
            self._send(connection)

    def run(self, seconds: float) -> None:
        """Send and receive until the time is over."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for number, _ in self._poll.poll(1.0):
                self._receive(self._open[number])
        for connection in self._open.values():
            connection.close()

    def _send(self, connection: socket.socket) -> None:
        self._turn = (self._turn + 1) % len(self._requests)
        self._partial[connection.fileno()] = b""
        self._sent_at[connection.fileno()] = time.perf_counter()
        connection.sendall(self._requests[self._turn])

    def _receive(self, connection: socket.socket) -> None:
        data = connection.recv(262_144)
        if not data:
            raise LoadError("the server closed a keep-alive connection")
        data = self._partial[connection.fileno()] + data
        self._partial[connection.fileno()] = data
        if _is_whole(data):
            self.latencies_ms.append((time.perf_counter() - self._sent_at[connection.fileno()]) * 1000)
            self._send(connection)


def _is_whole(data: bytes) -> bool:
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return False
    if not re.match(rb"HTTP/1\.1 2\d\d ", head):
        raise LoadError(data[:500].decode("latin-1"))
    length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.IGNORECASE)
    if length is None:
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(length[1])


def main() -> None:
    """Be the loader's process: target on standard input, figures on standard output."""
    method, paths, headers, body = json.load(sys.stdin)
    loader = _Loader(int(sys.argv[1]), Target(method, tuple(paths), headers, body.encode()))
    started = time.perf_counter()
    loader.run(float(sys.argv[2]))
    elapsed, latencies = time.perf_counter() - started, sorted(loader.latencies_ms)
    rank = [latencies[min(len(latencies) - 1, int(len(latencies) * share))] for share in (0.5, 0.99)]
    json.dump([len(latencies) / elapsed, *rank], sys.stdout)


if __name__ == "__main__":
    main()
