"""Servers as child processes: started on one core, asked until they answer, ended by their own pid."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.load import pinned

ROOT = Path(__file__).parents[2]
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A running server: its port, its process and what its whole process tree has used."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log

    def await_answer(self, path: str) -> None:
        """Wait until GET `path` is answered 200.

        Raises:
            RuntimeError: the process ended, or the time is over.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers(path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no answer from the server: {self._log.read_text()[-3000:]}")
            time.sleep(0.01)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process and its living descendants have used."""
        return sum(_cpu_ticks(pid) for pid in self.pids()) / _TICKS

    def memory_bytes(self) -> int:
        """Return the proportional set size of the process tree: shared pages count once."""
        return sum(_pss_bytes(pid) for pid in self.pids())

    def pids(self) -> list[int]:
        """Return the process and its living descendants."""
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found

    def stop(self) -> None:
        """End the process; its session is killed when it does not go."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # the session that was made for it, nobody else's
            self.process.wait()

    def _answers(self, path: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def serving(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], folder: Path, core: int | None, probe: str
) -> Iterator[Server]:
    """Hold a server, run in `folder`, that answers `probe`; its output goes to a file that is removed with it."""
    descriptor, log = tempfile.mkstemp(prefix="accord-bench-", suffix=".log")
    with open(descriptor, "wb") as output:
        process = subprocess.Popen(
            [*pinned(core), *command],
            env={**_clean_environment(), **environment},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, port, Path(log))
    try:
        server.await_answer(probe)
        yield server
    finally:
        server.stop()
        os.unlink(log)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "BENCH_"))}
    return kept | {"PYTHONPATH": str(ROOT)}


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
