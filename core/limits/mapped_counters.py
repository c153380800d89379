"""Counters in a file that the workers of one machine map: exact, they survive kill -9, not a loss of power.

Buckets are asked on every request and live in the table (core/limits/mapped_table.py); slots of streams are few and live in SQLite.
No greenlet switches while the lock is held. A file that is damaged or gone is made anew under a lock and reported; the
others notice by its inode. A file that is cut while it is mapped is noticed like that too, but may end a worker that uses it
in the quarter of a second before, as with any mapped file.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import gevent

from core.kernel import clock
from core.kernel.problems import Unavailable
from core.limits.counters import GRACE_SECONDS, Taken
from core.limits.mapped_table import FIRST_CAPACITY, Damaged, Full, Place, Table
from core.limits.meters import Charge, State, admit
from core.limits.sqlite_slots import SqliteSlots

_log = logging.getLogger(__name__)
_NAME = "buckets.table"
_GRACE_US = GRACE_SECONDS * 1_000_000
_YIELDS = 50
"""Another process holds the lock for some microseconds: giving up the core this often is mostly enough."""
_WAIT_SECONDS = 0.0005
_TRIES = 4
ResultT = TypeVar("ResultT")


class MappedCounters:
    """The Counters interface over two files in the data folder."""

    def __init__(self, data_dir: str, *, timeout_seconds: float = 10.0, capacity: int = FIRST_CAPACITY) -> None:
        """Open nothing yet; capacity: of a new table, a power of two."""
        self._path = Path(data_dir) / _NAME
        self._timeout_seconds = timeout_seconds
        self._capacity = capacity
        self._table: Table | None = None
        self._pid = 0
        self._slots = SqliteSlots(data_dir, timeout_seconds=timeout_seconds)
        self.enter, self.keep, self.leave = self._slots.enter, self._slots.keep, self._slots.leave
        self.sweep = self._slots.sweep

    def take(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Charge every bucket, or none of them."""
        return self._run(lambda table: _take(table, charges, now_us))

    def look(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Read the buckets."""
        now = clock.now_us() if now_us is None else now_us
        return Taken(True, now, self._run(lambda table: _find(table, charges, now)[1]))

    def ping(self) -> None:
        """Ask whether both files answer."""
        self._run(lambda table: None)
        self._slots.ping()

    def _run(self, action: Callable[[Table], ResultT]) -> ResultT:
        """Run `action` while the table is held; makes a damaged table anew, and a full one larger."""
        for _ in range(_TRIES):
            try:
                table = self._held()
                try:
                    return action(table)
                except Full:
                    table.grow(clock.now_us())
                finally:
                    table.unlock()
            except Damaged as error:
                self._renew(error)
            except OSError as error:
                raise Unavailable("The counters cannot be read.", retry_after_seconds=1, cause=str(error)) from error
        raise Unavailable(
            "The counters cannot be kept.", retry_after_seconds=1, cause="full or damaged again and again"
        )

    def _held(self) -> Table:
        """Return the table, locked."""
        deadline, tries = 0.0, 0
        while True:
            table = self._opened()
            if table.lock():
                if table.is_current():
                    return table
                self._close()
                continue
            deadline = deadline or time.monotonic() + self._timeout_seconds
            if time.monotonic() > deadline:
                raise Unavailable("The counters are busy.", retry_after_seconds=1, cause="the table's lock is held")
            tries += 1
            if tries < _YIELDS:
                os.sched_yield()
            else:
                gevent.sleep(_WAIT_SECONDS)

    def _opened(self) -> Table:
        pid = os.getpid()
        if self._table is not None and self._pid == pid:
            return self._table
        self._close()
        try:
            self._table = Table(self._path)
        except (FileNotFoundError, Damaged) as error:
            self._renew(error)
            self._table = Table(self._path)
        self._pid = pid
        return self._table

    def _close(self) -> None:
        if self._table is not None:
            self._table.close()
            self._table = None

    def _renew(self, error: Exception) -> None:
        """Put an empty table in the place of a damaged or missing one, unless another process has done so.

        Raises:
            Unavailable: there is no room for it.
        """
        inode = None if self._table is None else self._table.inode
        self._close()
        try:
            is_new = self._replace(inode)
        except OSError as failure:
            cause = str(failure)
            raise Unavailable("The counters cannot be made anew.", retry_after_seconds=1, cause=cause) from failure
        if is_new and isinstance(error, Damaged):
            _log.error("counters were damaged and begin anew", extra={"file": str(self._path), "cause": str(error)})

    def _replace(self, inode: int | None) -> bool:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_sound(self._path, inode):
                return False
            fresh = self._path.with_suffix(".fresh")
            Table.create(fresh, self._capacity)
            os.replace(fresh, self._path)
            return True


def _is_sound(path: Path, bad_inode: int | None) -> bool:
    try:
        table = Table(path)
    except (FileNotFoundError, Damaged):
        return False
    table.close()
    return table.inode != bad_inode


def _take(table: Table, charges: Sequence[Charge], given_us: int | None) -> Taken:
    now = clock.now_us() if given_us is None else given_us
    places, states = _find(table, charges, now)
    admissions = []
    for charge, state in zip(charges, states, strict=True):
        admission = admit(charge, state, now)
        if not admission.is_admitted:
            return Taken(False, now, states)
        admissions.append(admission)
    for charge, place, (_, state, expires_us) in zip(charges, places, admissions, strict=True):
        table.write(charge.key, place, state, expires_us + _GRACE_US)
    return Taken(True, now, states)


def _find(table: Table, charges: Sequence[Charge], now_us: int) -> tuple[list[Place], list[State | None]]:
    """Return where the buckets are, or will be, and what they hold."""
    places: list[Place] = []
    states: list[State | None] = []
    for charge in charges:
        place = table.find(charge.key, now_us, avoiding=places)
        places.append(place)
        states.append(table.read(place[0]) if place[1] else None)
    return places, states
