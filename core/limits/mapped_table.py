"""A table of buckets in a file that every process of the machine maps: exact under one lock, and never waiting for the disk.

Open addressing over records of 64 bytes. A record holds a digest of its key, a mark, and two states of which the mark names
the one that counts: a new state is written beside the old one and then named by one byte, so that a process killed at any
moment leaves the one or the other, and the kernel gives its lock back. A record is never emptied, so chains of probes stay
whole; one that is over is written over. A table without room is copied into a larger file, and the old one says so.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from core.limits.meters import State

FIRST_CAPACITY = 65_536
_MAGIC = b"buckets1"
_HEAD = Struct("<8sQ")
_RETIRED_AT = 63
_RECORD_BYTES = 64
_DIGEST_BYTES = 15
_MARK_AT = 15
_EMPTY, _FIRST, _SECOND, _UNFINISHED = range(4)
_STATES_AT = 16
_STATE = Struct("<qqq")
_PROBES = 32
_LOOK_SECONDS = 0.25
_KNOWN_KEYS = 10_000
Place = tuple[int, bool]
"""Where a record begins, and whether it is the key's own already."""
Kept = tuple[int, int, int]
"""A state, and when its record may be written over."""


class Damaged(Exception):
    """The file is no table; whatever it counted is lost."""


class Full(Exception):
    """There is no room for another key."""


class Table:
    """One open file. Everything but `lock` is called while the lock is held; a lock does not survive a fork."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            Damaged: it is not what `create` writes.
            OSError: it cannot be opened.
        """
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            found = os.fstat(self._descriptor)
            if found.st_size < _RECORD_BYTES:
                raise Damaged("it is too short")
            self._map = mmap.mmap(self._descriptor, 0)
        except BaseException:
            os.close(self._descriptor)
            raise
        self.inode, self._looked_at = found.st_ino, time.monotonic()
        magic, self.capacity = _HEAD.unpack_from(self._map)
        if magic != _MAGIC or found.st_size != (self.capacity + 1) * _RECORD_BYTES:
            self.close()
            raise Damaged("its head is not a table's")
        self._mask = self.capacity - 1
        self._known: dict[str, tuple[bytes, int]] = {}

    @staticmethod
    def create(path: Path, capacity: int) -> None:
        """Write an empty table; capacity: a power of two.

        Its room on the disk is taken here: to a record for which there is none when it is written, the kernel answers with SIGBUS.

        Raises:
            OSError: there is no room.
        """
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, (capacity + 1) * _RECORD_BYTES)
            file.write(_HEAD.pack(_MAGIC, capacity))

    def close(self) -> None:
        """Give up the file, and its lock with it."""
        self._map.close()
        os.close(self._descriptor)

    def lock(self) -> bool:
        """Take the lock, unless another process holds it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def is_current(self) -> bool:
        """Say whether this is still the table: not copied into another, nor, looked at now and then, its file replaced or cut."""
        if self._map[_RETIRED_AT]:
            return self._is_revived()
        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return True
        self._looked_at = time.monotonic()
        return self._is_at_its_path()

    def _is_revived(self) -> bool:
        """Go on with a table whose copier died before the copy took its place."""
        if not self._is_at_its_path():
            return False
        self._map[_RETIRED_AT] = 0
        return True

    def _is_at_its_path(self) -> bool:
        try:
            found = os.stat(self.path)
            return (found.st_ino, found.st_size) == (self.inode, len(self._map))
        except FileNotFoundError:
            return False

    def find(self, key: str, now_us: int, *, avoiding: Sequence[Place] = ()) -> Place:
        """Return the key's record, or the one that may become it. avoiding: records that others are about to take.

        Raises:
            Full: there is none.
            Damaged: a record has a mark that nobody writes.
        """
        known = self._known.get(key)
        if known is not None:
            digest, at = known
            if self._map[at : at + _DIGEST_BYTES] == digest and self._map[at + _MARK_AT] != _UNFINISHED:
                return at, True
        return self._probe(key, now_us, {at for at, _ in avoiding})

    def _probe(self, key: str, now_us: int, avoiding: set[int]) -> Place:
        digest, free = _digest(key), 0
        for at in self._chain(digest):
            mark = self._map[at + _MARK_AT]
            if mark == _EMPTY:
                free = free or (at if at not in avoiding else 0)
                if free:
                    break
            elif mark > _UNFINISHED:
                raise Damaged("a record's mark is none of a table's")
            elif mark != _UNFINISHED and self._map[at : at + _DIGEST_BYTES] == digest:
                self._remember(key, digest, at)
                return at, True
            elif not free and at not in avoiding and (mark == _UNFINISHED or self._expires_us(at, mark) <= now_us):
                free = at
        if not free:
            raise Full
        return free, False

    def _chain(self, digest: bytes) -> Iterator[int]:
        """Yield where the records begin that may hold a key."""
        start = int.from_bytes(digest[:8], "little")
        for step in range(_PROBES):
            yield (((start + step) & self._mask) + 1) * _RECORD_BYTES

    def read(self, at: int) -> State:
        """Return what a key's own record holds."""
        state: State = _STATE.unpack_from(self._map, _state_at(at, self._map[at + _MARK_AT]))[:2]
        return state

    def _expires_us(self, at: int, mark: int) -> int:
        return int(_STATE.unpack_from(self._map, _state_at(at, mark))[2])

    def write(self, key: str, place: Place, state: State, expires_us: int) -> None:
        """Store a key's state in the record that was found for it."""
        at, is_own = place
        if is_own:
            mark = _FIRST if self._map[at + _MARK_AT] == _SECOND else _SECOND
        else:
            digest, mark = _digest(key), _FIRST
            self._map[at + _MARK_AT] = _UNFINISHED
            self._map[at : at + _DIGEST_BYTES] = digest
            self._remember(key, digest, at)
        _STATE.pack_into(self._map, _state_at(at, mark), *state, expires_us)
        self._map[at + _MARK_AT] = mark

    def _remember(self, key: str, digest: bytes, at: int) -> None:
        if len(self._known) >= _KNOWN_KEYS:
            self._known.clear()
        self._known[key] = (digest, at)

    def grow(self, now_us: int) -> None:
        """Copy what is not over into another file, with more room where there is need, and retire this one."""
        live = [record for record in self._records() if record[1][2] > now_us]
        capacity = self.capacity * (2 if len(live) * 4 > self.capacity else 1)
        beside = self.path.with_suffix(".larger")
        while not _is_written(beside, capacity, live):
            capacity *= 2
        self._map[_RETIRED_AT] = 1
        os.replace(beside, self.path)

    def put(self, digest: bytes, kept: Kept) -> bool:
        """Add a record whose key is not in the table; False when its chain is full."""
        for at in self._chain(digest):
            if self._map[at + _MARK_AT] == _EMPTY:
                self._map[at : at + _DIGEST_BYTES] = digest
                _STATE.pack_into(self._map, _state_at(at, _FIRST), *kept)
                self._map[at + _MARK_AT] = _FIRST
                return True
        return False

    def _records(self) -> Iterator[tuple[bytes, Kept]]:
        for at in range(_RECORD_BYTES, (self.capacity + 1) * _RECORD_BYTES, _RECORD_BYTES):
            mark = self._map[at + _MARK_AT]
            if mark in {_FIRST, _SECOND}:
                yield self._map[at : at + _DIGEST_BYTES], _STATE.unpack_from(self._map, _state_at(at, mark))


def _is_written(path: Path, capacity: int, records: list[tuple[bytes, Kept]]) -> bool:
    """Write a table of these records; False when a chain is too short for them."""
    Table.create(path, capacity)
    table = Table(path)
    try:
        return all(table.put(digest, kept) for digest, kept in records)
    finally:
        table.close()


def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=_DIGEST_BYTES).digest()


def _state_at(at: int, mark: int) -> int:
    return at + _STATES_AT + (mark - _FIRST) * _STATE.size
