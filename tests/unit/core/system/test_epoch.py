"""The security epoch: seen by everyone once committed, and by no one before."""

from __future__ import annotations

import subprocess
import sys

from core.kernel.settings import Settings
from core.system import epoch
from models.database import database as engine
from models.database import is_sqlite, read, write
from models.tables.system import SecurityEpoch


def test_epoch_moves_when_the_transaction_commits(database: Settings) -> None:
    before = epoch.current()
    with write():
        epoch.bump()
    assert epoch.current() == before + 1


def test_epoch_stays_when_the_transaction_rolls_back(database: Settings) -> None:
    before = epoch.current()
    try:
        with write():
            epoch.bump()
            raise KeyError
    except KeyError:
        pass
    assert epoch.current() == before


def test_every_bump_counts_when_many_commit(database: Settings) -> None:
    before = epoch.current()
    for _ in range(5):
        with write():
            epoch.bump()
            epoch.bump()
    assert epoch.current() == before + 10


def test_other_writes_leave_the_epoch(database: Settings) -> None:
    before = epoch.current()
    with write():
        SecurityEpoch.update(id=1).where(SecurityEpoch.id == 1).execute()
    assert epoch.current() == before


def test_a_commit_of_another_process_is_seen_by_the_next_request(database: Settings) -> None:
    code = (
        "import sys; from core.kernel import settings; from models import database; from core.system import epoch\n"
        "read = settings.read({'ACCORD_DATABASE_URL': sys.argv[1], 'ACCORD_DATA_DIR': sys.argv[2]})\n"
        "settings.install(read); database.bind(read)\n"
        "for _ in sys.stdin:\n"
        "    with database.write(): epoch.bump()\n"
        "    print(flush=True)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, database.database_url, database.data_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    before = epoch.current()
    for number in range(1, 201):
        other.stdin.write("\n")
        other.stdin.flush()
        other.stdout.readline()
        assert epoch.current() == before + number
        if number % 20 == 0:
            _checkpoint()
            assert epoch.current() == before + number
    other.stdin.close()
    assert other.wait(10) == 0


def _checkpoint() -> None:
    """Begin SQLite's log anew, as it does by itself now and then."""
    if is_sqlite():
        with read():
            engine.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
