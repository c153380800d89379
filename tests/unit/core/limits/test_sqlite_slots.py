"""The slots' file: shared by processes, made anew when it is damaged, and reported then."""

from __future__ import annotations

import logging
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.kernel.problems import Unavailable
from core.limits.sqlite_slots import SqliteSlots


def _damage_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"this is no database any more" * 200)


def _damage_pages(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def _cut(path: Path) -> None:
    os.truncate(path, 5000)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _enter(slots: SqliteSlots, key: str, slot: str, cap: int = 3) -> bool:
    return slots.enter(key, slot, cap=cap, seconds=60)


def test_what_is_over_is_swept(tmp_path: Path) -> None:
    slots = SqliteSlots(str(tmp_path))
    for number in range(5):
        slots.enter(f"old:{number}", "s", cap=1, seconds=-1)
    _enter(slots, "new", "s", cap=1)
    assert slots.sweep() == 5
    assert slots.sweep() == 0
    assert not _enter(slots, "new", "t", cap=1)


@pytest.mark.parametrize("damage", [_damage_header, _damage_pages, _cut, _empty])
def test_a_damaged_file_is_made_anew_and_reported(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    before = SqliteSlots(str(tmp_path))
    for number in range(500):
        _enter(before, f"some key that fills pages:{number}", "s")
    before._file.connection.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{tmp_path / 'counters.db'}{suffix}").unlink(missing_ok=True)
    damage(tmp_path / "counters.db")
    after = SqliteSlots(str(tmp_path))
    with caplog.at_level(logging.ERROR):
        verdicts = [_enter(after, "x", f"s{number}") for number in range(4)]
    assert verdicts == [True, True, True, False]
    if damage is not _empty:  # an empty file is what a fresh one begins as
        assert [record.message for record in caplog.records] == ["counters were damaged and begin anew"]


def test_callers_are_refused_with_503_when_the_disk_has_no_room_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "counters.db").write_bytes(b"this is no database any more" * 200)
    after, bound = SqliteSlots(str(tmp_path)), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, bound[1]))  # fails like a full disk; Python ignores its signal
    try:
        with pytest.raises(Unavailable):
            _enter(after, "x", "s")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bound)
    assert _enter(after, "x", "s")


def test_a_damage_under_an_open_file_is_noticed_by_every_process(tmp_path: Path) -> None:
    mine, others = SqliteSlots(str(tmp_path)), SqliteSlots(str(tmp_path))
    for number, slots in enumerate((mine, others)):
        _enter(slots, "wide", f"s{number}", cap=9)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{tmp_path / 'counters.db'}{suffix}").unlink()
    time.sleep(0.3)  # a process looks at the file's inode four times a second
    verdicts = [_enter(slots, "x", f"s{number}") for number, slots in enumerate((mine, others) * 2)]
    assert verdicts == [True, True, True, False]


def test_slots_survive_kill_9(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from core.limits.sqlite_slots import SqliteSlots\n"
        f"SqliteSlots({str(tmp_path)!r}).enter('k', str(os.getpid()), cap=2, seconds=60)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert not _enter(SqliteSlots(str(tmp_path)), "k", "s", cap=2)


def test_a_lock_that_is_never_given_back_is_503(tmp_path: Path) -> None:
    slots = SqliteSlots(str(tmp_path), timeout_seconds=0.2)
    slots.ping()
    with closing(sqlite3.connect(tmp_path / "counters.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            _enter(slots, "x", "s")
        other.execute("ROLLBACK")
    assert _enter(slots, "x", "s")


def test_a_folder_that_cannot_be_written_is_503(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        _enter(SqliteSlots(str(tmp_path / "missing")), "x", "s")
