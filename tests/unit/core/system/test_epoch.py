"""The security epoch: seen by everyone once committed, and by no one before."""

from __future__ import annotations

from core.kernel.settings import Settings
from core.system import epoch
from models.database import write
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
