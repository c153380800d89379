"""The files that metrics are kept in, where there is room on the disk for them and where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_COUNT = """
import errno, os, sys
has_room, room = os.posix_fallocate, int(sys.argv[1])

def fallocate(descriptor, offset, size):  # a full disk, which no test can have without mounting one
    if size > room:
        raise OSError(errno.ENOSPC, "No space left on device")
    has_room(descriptor, offset, size)

os.posix_fallocate = fallocate
from server import metrics
counters = []
for operation in range(int(sys.argv[2])):
    counters.append(metrics.request_counter(f"operation_{operation}", 200))
    counters[-1](0.01)
for count in counters:
    count(0.01)
"""
_FORK = """
import os
from server.logs import Log
from server.request import Request
from server.telemetry import Telemetry

telemetry = Telemetry(Log("error"))

def count():
    request = Request({"REQUEST_METHOD": "GET"}, "127.0.0.1", False)
    telemetry.request_ended(request, operation_id="op", status=200, duration_seconds=0.01, size_bytes=0, code="")

count()
child = os.fork()
for _ in range(10 if child else 100):
    count()
if child:
    os.waitpid(child, 0)
else:
    os._exit(0)
"""
ENOUGH_BYTES = 1 << 30
OPERATIONS = 1500
"""So many do not find place in what a file is made with."""


def _count(folder: Path, *, room_bytes: int, operations: int) -> None:
    """Count two requests of each operation in a process whose files find room for so many bytes."""
    _run(folder, _COUNT, str(room_bytes), str(operations))


def _scraped(folder: Path) -> str:
    """Return what a process that shares the folder renders."""
    return _run(folder, "from server import metrics; print(metrics.render().decode())")


def _run(folder: Path, script: str, *arguments: str) -> str:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout


@pytest.mark.parametrize("operations", [1, OPERATIONS])
def test_files_have_their_room_on_the_disk_before_they_are_written(tmp_path: Path, operations: int) -> None:
    """Room that is first wanted when a value is written is not there on a full disk, and the kernel ends the worker."""
    _count(tmp_path, room_bytes=ENOUGH_BYTES, operations=operations)
    for found in [each.stat() for each in tmp_path.iterdir()]:
        assert found.st_blocks * 512 >= found.st_size > 0
    scraped = _scraped(tmp_path)
    for operation in (0, operations - 1):
        assert f'accord_requests_total{{operation="operation_{operation}",status="200"}} 2.0' in scraped
        assert f'accord_request_duration_seconds_count{{operation="operation_{operation}"}} 2.0' in scraped


def test_a_child_counts_in_its_own_file(tmp_path: Path) -> None:
    _run(tmp_path, _FORK)
    assert 'accord_requests_total{operation="op",status="200"} 111.0' in _scraped(tmp_path)


def test_requests_are_served_uncounted_when_the_disk_has_no_room_for_a_file(tmp_path: Path) -> None:
    _count(tmp_path, room_bytes=4096, operations=3)
    assert "operation_" not in _scraped(tmp_path)


def test_requests_are_served_when_the_disk_has_no_room_for_a_file_to_grow(tmp_path: Path) -> None:
    _count(tmp_path, room_bytes=1 << 20, operations=OPERATIONS)
    assert 'accord_requests_total{operation="operation_0",status="200"} 2.0' in _scraped(tmp_path)
