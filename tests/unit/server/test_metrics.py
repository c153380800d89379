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
for operation in range(int(sys.argv[2])):
    for _ in range(2):
        metrics.request_counter(f"operation_{operation}", 200)(0.01)
"""
ENOUGH_BYTES = 1 << 30
OPERATIONS = 1500
"""So many do not find place in what a file is made with."""


def _count(folder: Path, *, room_bytes: int, operations: int) -> None:
    """Count two requests of each operation in a process whose files find room for so many bytes."""
    subprocess.run(
        [sys.executable, "-c", _COUNT, str(room_bytes), str(operations)],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        check=True,
        timeout=60,
    )


def _scraped(folder: Path) -> str:
    """Return what a process that shares the folder renders."""
    script = "from server import metrics; print(metrics.render().decode())"
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("operations", [1, OPERATIONS])
def test_files_have_their_room_on_the_disk_before_they_are_written(tmp_path: Path, operations: int) -> None:
    """Room that is first wanted when a value is written is not there on a full disk, and the kernel ends the worker."""
    _count(tmp_path, room_bytes=ENOUGH_BYTES, operations=operations)
    for found in [each.stat() for each in tmp_path.iterdir()]:
        assert found.st_blocks * 512 >= found.st_size > 0
    last = f'accord_requests_total{{operation="operation_{operations - 1}",status="200"}} 2.0'
    assert last in _scraped(tmp_path)


def test_requests_are_served_uncounted_when_the_disk_has_no_room_for_a_file(tmp_path: Path) -> None:
    _count(tmp_path, room_bytes=4096, operations=3)
    assert "operation_" not in _scraped(tmp_path)


def test_requests_are_served_when_the_disk_has_no_room_for_a_file_to_grow(tmp_path: Path) -> None:
    _count(tmp_path, room_bytes=1 << 20, operations=OPERATIONS)
    assert 'accord_requests_total{operation="operation_0",status="200"} 2.0' in _scraped(tmp_path)
