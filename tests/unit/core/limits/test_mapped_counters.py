"""The mapped table: shared by processes, larger when it is full, made anew when it is damaged, and reported then."""

from __future__ import annotations

import fcntl
import logging
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.kernel.problems import Unavailable
from core.limits.mapped_counters import MappedCounters
from core.limits.mapped_table import Table
from core.limits.meters import Charge
from tests.unit.core.limits.counter_rules import NOW_US, charge

WIDE = charge("wide", limit=1000, window_us=10**12)
HOUR_US = 3_600_000_000
FULL = 4096


def _table(folder: Path) -> Path:
    return folder / "buckets.table"


def _damage_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"this is no table any more" * 2)


def _damage_records(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(64)
        file.write(random.Random(7).randbytes(path.stat().st_size - 64))


def _cut(path: Path) -> None:
    os.truncate(path, 5000)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [_damage_head, _damage_records, _cut, _empty])
def test_a_damaged_file_is_made_anew_and_reported(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    before = MappedCounters(str(tmp_path))
    for number in range(5):
        before.take([charge(f"some key:{number}"), WIDE])
    before._close()
    damage(_table(tmp_path))
    after = MappedCounters(str(tmp_path))
    with caplog.at_level(logging.ERROR):
        verdicts = [after.take([charge("x")], now_us=NOW_US).is_admitted for _ in range(4)]
        after.take([WIDE])
    assert verdicts == [True, True, True, False]
    assert [record.message for record in caplog.records] == ["counters were damaged and begin anew"]


def test_a_table_has_its_room_on_the_disk_from_the_beginning(tmp_path: Path) -> None:
    """Room that is first wanted when a record is written is not there on a full disk, and the kernel ends the worker."""
    Table.create(tmp_path / "table", FULL)
    found = (tmp_path / "table").stat()
    assert found.st_blocks * 512 >= found.st_size == (FULL + 1) * 64


def test_callers_are_refused_with_503_when_the_disk_has_no_room_for_a_table(tmp_path: Path) -> None:
    counters = MappedCounters(str(tmp_path))
    counters.take([WIDE])
    _damage_records(_table(tmp_path))
    bound = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, bound[1]))  # fails like a full disk; Python ignores its signal
    try:
        with pytest.raises(Unavailable):
            counters.take([charge("x")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bound)
    assert counters.take([charge("x")]).is_admitted


def test_a_file_that_is_cut_while_it_is_mapped_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counters = MappedCounters(str(tmp_path))
    counters.take([WIDE])
    _cut(_table(tmp_path))
    time.sleep(0.3)  # a process looks at the file's inode four times a second
    with caplog.at_level(logging.ERROR):
        assert counters.take([WIDE]).is_admitted
    assert [record.message for record in caplog.records] == ["counters were damaged and begin anew"]


def test_a_file_that_is_gone_is_noticed_by_every_process(tmp_path: Path) -> None:
    mine, others = MappedCounters(str(tmp_path)), MappedCounters(str(tmp_path))
    for counters in (mine, others):
        counters.take([WIDE])
    _table(tmp_path).unlink()
    time.sleep(0.3)  # a process looks at the file's inode four times a second
    verdicts = [counters.take([charge("x")], now_us=NOW_US).is_admitted for counters in (mine, others) * 2]
    assert verdicts == [True, True, True, False]


def test_counts_survive_kill_9(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from core.limits.mapped_counters import MappedCounters\n"
        "from tests.unit.core.limits.counter_rules import NOW_US, charge\n"
        f"MappedCounters({str(tmp_path)!r}).take([charge('k', limit=2)], now_us=NOW_US)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert not MappedCounters(str(tmp_path)).take([charge("k", limit=2)], now_us=NOW_US).is_admitted


def test_a_lock_that_is_never_given_back_is_503_and_one_whose_holder_dies_is_free(tmp_path: Path) -> None:
    counters = MappedCounters(str(tmp_path), timeout_seconds=0.2)
    counters.ping()
    code = (
        "import fcntl, sys\n"
        f"file = open({str(_table(tmp_path))!r}, 'r+b'); fcntl.flock(file, fcntl.LOCK_EX); print(flush=True)\n"
        "sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(Unavailable):
        counters.take([charge("x")])
    holder.kill()
    holder.communicate()
    assert counters.take([charge("x")]).is_admitted


def test_a_folder_that_cannot_be_written_is_503(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        MappedCounters(str(tmp_path / "missing")).take([charge("x")])


def test_a_full_table_grows_and_forgets_no_count(tmp_path: Path) -> None:
    mine, others = (MappedCounters(str(tmp_path), capacity=64) for _ in range(2))
    for number in range(FULL):
        (mine, others)[number % 2].take([charge(f"k{number}", limit=1, window_us=HOUR_US)], now_us=NOW_US)
    for number in range(FULL):
        row = charge(f"k{number}", limit=1, window_us=HOUR_US)
        assert not (others, mine)[number % 2].take([row], now_us=NOW_US).is_admitted, number
    with closing(Table(_table(tmp_path))) as table:
        assert FULL < table.capacity <= 16 * FULL


def test_buckets_that_are_over_are_written_over_so_that_the_file_stays_small(tmp_path: Path) -> None:
    counters = MappedCounters(str(tmp_path), capacity=64)
    for number in range(FULL):
        at = NOW_US + number * 30_000_000
        assert counters.take([charge(f"k{number}", limit=1, window_us=1000)], now_us=at).is_admitted
    with closing(Table(_table(tmp_path))) as table:
        assert table.capacity == 64


def test_several_new_buckets_of_one_request_get_records_of_their_own(tmp_path: Path) -> None:
    counters = MappedCounters(str(tmp_path), capacity=64)
    for number in range(20):
        rows = [charge(f"{number}:{part}", "fixed_window", limit=2, window_us=HOUR_US) for part in range(3)]
        verdicts = [counters.take(rows, now_us=NOW_US).is_admitted for _ in range(3)]
        assert verdicts == [True, True, False]


def test_a_table_whose_copier_died_goes_on(tmp_path: Path) -> None:
    counters = MappedCounters(str(tmp_path))
    row = charge("k", limit=2)
    counters.take([row], now_us=NOW_US)
    with _table(tmp_path).open("r+b") as file:
        file.seek(63)
        file.write(b"\1")
    verdicts = [MappedCounters(str(tmp_path)).take([row], now_us=NOW_US).is_admitted for _ in range(2)]
    assert verdicts == [True, False]


def test_a_killed_write_leaves_the_state_before_it(tmp_path: Path) -> None:
    counters, row = MappedCounters(str(tmp_path)), charge("k", "fixed_window", limit=9)
    counters.take([row], now_us=NOW_US)
    before = counters.look([row], now_us=NOW_US).states
    with closing(Table(_table(tmp_path))) as table:
        at, is_own = table.find(row.key, NOW_US)
        other = 40 if table._map[at + 15] == 1 else 16
        table._map[at + other : at + other + 24] = b"\xff" * 24
    assert is_own
    assert counters.look([row], now_us=NOW_US).states == before
    assert counters.take([row], now_us=NOW_US).states == before


def test_a_record_that_was_not_finished_is_nobodys(tmp_path: Path) -> None:
    counters, row = MappedCounters(str(tmp_path)), Charge("day", "fixed_window", 2, HOUR_US, NOW_US + HOUR_US)
    counters.take([row], now_us=NOW_US)
    with closing(Table(_table(tmp_path))) as table:
        at, _ = table.find(row.key, NOW_US)
        table._map[at + 15] = 3
    assert counters.take([row], now_us=NOW_US).states == [None]
    assert counters.take([row], now_us=NOW_US).states == [(1, row.end_us)]


def test_a_forked_process_has_a_lock_of_its_own(tmp_path: Path) -> None:
    counters, row = MappedCounters(str(tmp_path), timeout_seconds=5), charge("k", limit=4000, window_us=HOUR_US)
    counters.ping()
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            os._exit(not all(counters.take([row], now_us=NOW_US).is_admitted for _ in range(2000)))
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert not counters.take([row], now_us=NOW_US).is_admitted


def test_the_lock_is_given_back_after_every_request(tmp_path: Path) -> None:
    counters = MappedCounters(str(tmp_path))
    counters.take([charge("x")])
    with _table(tmp_path).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
