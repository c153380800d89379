"""The counters' file: shared by processes, made anew when it is damaged, and reported then."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.kernel.problems import Unavailable
from core.limits.sqlite_counters import SqliteCounters
from tests.unit.core.limits.counter_rules import NOW_US, charge

WIDE = charge("wide", limit=1000, window_us=10**12)


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


@pytest.mark.parametrize("damage", [_damage_header, _damage_pages, _cut, _empty])
def test_a_damaged_file_is_made_anew_and_reported(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    before = SqliteCounters(str(tmp_path))
    for number in range(500):
        before.take([charge(f"some key that fills pages:{number}"), WIDE])
    before._file.connection.close()  # type: ignore[union-attr]
    for suffix in ("-wal", "-shm"):
        Path(f"{tmp_path / 'counters.db'}{suffix}").unlink(missing_ok=True)
    damage(tmp_path / "counters.db")
    after = SqliteCounters(str(tmp_path))
    with caplog.at_level(logging.ERROR):
        verdicts = [after.take([charge("x")], now_us=NOW_US).is_admitted for _ in range(4)]
        after.take([WIDE])
    assert verdicts == [True, True, True, False]
    if damage is not _empty:  # an empty file is what a fresh one begins as
        assert [record.message for record in caplog.records] == ["counters were damaged and begin anew"]


def test_a_damage_under_an_open_file_is_noticed_by_every_process(tmp_path: Path) -> None:
    mine, others = SqliteCounters(str(tmp_path)), SqliteCounters(str(tmp_path))
    for counters in (mine, others):
        counters.take([WIDE])
    for suffix in ("", "-wal", "-shm"):
        Path(f"{tmp_path / 'counters.db'}{suffix}").unlink()
    time.sleep(0.3)
    verdicts = [counters.take([charge("x")], now_us=NOW_US).is_admitted for counters in (mine, others) * 2]
    assert verdicts == [True, True, True, False]


def test_counts_survive_kill_9(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from core.limits.sqlite_counters import SqliteCounters\n"
        "from tests.unit.core.limits.counter_rules import NOW_US, charge\n"
        f"SqliteCounters({str(tmp_path)!r}).take([charge('k', limit=2)], now_us=NOW_US)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert not SqliteCounters(str(tmp_path)).take([charge("k", limit=2)], now_us=NOW_US).is_admitted


def test_a_lock_that_is_never_given_back_is_503(tmp_path: Path) -> None:
    counters = SqliteCounters(str(tmp_path), timeout_seconds=0.2)
    counters.ping()
    with closing(sqlite3.connect(tmp_path / "counters.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            counters.take([charge("x")])
        other.execute("ROLLBACK")
    assert counters.take([charge("x")]).is_admitted


def test_a_folder_that_cannot_be_written_is_503(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        SqliteCounters(str(tmp_path / "missing")).take([charge("x")])
