"""Processes that never outlive the tests: a keeper ends them when the pipe from the tests closes, kill -9 included."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_STOP_SECONDS = 30.0
# Runs "$@", tells its pid, and ends it when told "keep" or "remove", or when the tests are gone.
_KEEPER = """
log=$1 signal=$2 folder=$3; shift 3
"$@" >>"$log" 2>&1 </dev/null & child=$!
echo "$child"
read -r order
kill -"$signal" "$child" 2>/dev/null; wait "$child"; code=$?
[ "$order" = keep ] || [ -z "$folder" ] || rm -rf "$folder"
exit "$code"
"""


class KeptProcess:
    """A child with a log file.

    stop_signal: what ends it. folder: removed when the child is, unless it is stopped with `keep_folder`.
    """

    def __init__(
        self,
        command: Sequence[object],
        *,
        log: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        self.log = log
        name = stop_signal.name.removeprefix("SIG")
        words = ["/bin/sh", "-c", _KEEPER, "keeper", log, name, folder or "", *command]
        self._keeper = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            **(identity or {}),
        )
        assert self._keeper.stdout is not None
        self.pid = int(self._keeper.stdout.readline())

    @property
    def is_running(self) -> bool:
        """Say whether the child still runs."""
        return _is_alive(self.pid)

    def stop(self, *, keep_folder: bool = False) -> int:
        """End the child and return its exit status; 128 + n when signal n ended it."""
        try:
            self._keeper.communicate(b"keep\n" if keep_folder else b"remove\n", timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self._keeper.communicate(timeout=_STOP_SECONDS)
            raise
        return self._keeper.returncode

    def children(self) -> list[int]:
        """Return the pids of the child's own children, oldest first."""
        return sorted(int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())

    def log_tail(self, size: int = 6000) -> str:
        """Return the end of what the child wrote."""
        return self.log.read_text(errors="replace")[-size:]


def _is_alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
