"""Thousands of open event streams on one worker: what each costs in memory, and how soon one event reaches all of them."""

from __future__ import annotations

import json
import re
import resource
import select
import socket
import subprocess
import sys
import time
from typing import IO, Any

from tests.bench.accounts import Account
from tests.bench.load import pinned
from tests.bench.processes import ROOT, Server
from tests.bench.rounds import Cores, Line
from tests.bench.stacks import bearer

_STREAMS = 5000
_EVENT = b"event: thread.activity"
_OPENING = 200
_PATIENCE_SECONDS = 30.0
_SETTLE_SECONDS = 1.0


def lines(server: Server, account: Account, *, cores: Cores) -> list[Line]:
    """Open the streams from a process of their own, write one message, and see it arrive everywhere."""
    conversation, root = account.make_thread("Streams")
    before = server.memory_bytes()
    command = [*pinned(cores.loader), sys.executable, "-m", "tests.bench.streams", str(server.port), conversation]
    clients = subprocess.Popen([*command, account.token], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert clients.stdin is not None
    assert clients.stdout is not None
    try:
        _expect(clients.stdout, b"open")
        time.sleep(_SETTLE_SECONDS)
        each_kb = (server.memory_bytes() - before) / _STREAMS / 1024
        clients.stdin.write(b"%.6f\n" % time.time())
        clients.stdin.flush()
        account.post(f"/api/messages/{root}/reply", {"content": "To all.", "role": "system"})
        delays = sorted(json.loads(clients.stdout.readline()))
    finally:
        clients.kill()
        clients.wait()
    if len(delays) != _STREAMS:
        raise RuntimeError(f"the event reached {len(delays)} of {_STREAMS} streams")
    return [
        Line(f"{_STREAMS:,} open streams: kB each", each_kb, 30, is_ceiling=True),
        Line("one event to all of them: p99 seconds", delays[int(len(delays) * 0.99)], 1.0, is_ceiling=True),
    ]


def _expect(source: IO[bytes], word: bytes) -> None:
    line = source.readline()
    if line.strip() != word:
        raise RuntimeError(f"the streams' clients said {line!r}")


class _Clients:
    """Sockets that follow one conversation; what they read is kept only as far as it is looked for."""

    def __init__(self, port: int, conversation: str, token: str) -> None:
        headers = {"Host": f"127.0.0.1:{port}", "Accept": "text/event-stream", **bearer(token)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._request = f"GET /api/stream/conversations/{conversation} HTTP/1.1\r\n{head}\r\n".encode()
        self._port = port
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}

    def open(self) -> None:
        """Open all streams, a batch at a time, each batch until its heads have come."""
        for _ in range(_STREAMS // _OPENING):
            batch = [self._connect() for _ in range(_OPENING)]
            self._await(set(batch), rb"HTTP/1\.1 200 .*\r\n\r\n")

    def delays(self, started: float) -> list[float]:
        """Return, for every stream, the seconds from `started` (Unix time) until the event came."""
        found: list[float] = []
        self._await(set(self._open), re.escape(_EVENT), lambda: found.append(time.time() - started))
        return found

    def _connect(self) -> int:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        connection.sendall(self._request)
        connection.setblocking(False)
        self._open[connection.fileno()] = connection
        self._tails[connection.fileno()] = b""
        self._poll.register(connection, select.EPOLLIN)
        return connection.fileno()

    def _await(self, waiting: set[int], pattern: bytes, then: Any = lambda: None) -> None:
        matcher, deadline = re.compile(pattern, re.DOTALL), time.monotonic() + _PATIENCE_SECONDS
        while waiting and time.monotonic() < deadline:
            for number, _ in self._poll.poll(0.5):
                data = self._open[number].recv(65_536)
                if not data:
                    raise RuntimeError(f"a stream was ended: {self._tails[number][-500:]!r}")
                self._tails[number] = (self._tails[number] + data)[-4096:]
                if number in waiting and matcher.search(self._tails[number]):
                    waiting.remove(number)
                    then()


def main() -> None:
    """Be the clients' process: say "open", wait for the time of the event, print every stream's delay."""
    raise_open_files()
    clients = _Clients(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    clients.open()
    print("open", flush=True)
    print(json.dumps(clients.delays(float(sys.stdin.readline()))), flush=True)


def raise_open_files() -> None:
    """Let this process and its children open as many files as the machine lets them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
