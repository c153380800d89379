"""The chain of seals over the audit trail: each covers an entry and the seal before it, under a key the database lacks.

So a changed, removed or moved entry, and a chain cut at its end, are found by whoever holds ACCORD_SECRET_KEYS. What a
chain cannot show: entries taken before they were sealed (15 s, whenever upkeep is offered), and a whole database put back
to an earlier state; for that, compare the head with one noted before.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from core.identity.keys import secrets_in_use
from core.kernel.sealing import derive
from models.database import locked, read, write
from models.tables.audit import AuditEntry, AuditHead, AuditSeal, AuditWaiting

_PURPOSE = "accord audit seal"
_BATCH = 500
_ROW_ID = 1


class Break(NamedTuple):
    """Where the chain is broken first. seq: position, 0 for the head; entry_id: None where there is none."""

    seq: int
    entry_id: UUID | None
    reason: str


class Verdict(NamedTuple):
    """sealed: links that hold. waiting: entries without a seal. head: the last link's mac. broken: None when all holds."""

    sealed: int
    waiting: int
    head: str
    broken: Break | None


def seal_some() -> int:
    """Seal a batch of what waits and return how many entries that were."""
    with read():
        if not AuditWaiting.select().exists():
            return 0
    with write():
        head = _hold_head()
        waiting = [row.entry_id for row in AuditWaiting.select().order_by(AuditWaiting.entry_id).limit(_BATCH)]
        entries = {entry.id: entry for entry in AuditEntry.select().where(AuditEntry.id.in_(waiting))}
        found = [entries[entry_id] for entry_id in waiting if entry_id in entries]
        key_id, key = next(iter(_keys().items()))
        seq, last = head.seq, head.last
        for entry in found:
            seq, last = seq + 1, _mac(key, last.encode() + _canonical(entry))
            AuditSeal.create(seq=seq, entry_id=entry.id, key_id=key_id, mac=last)
        AuditWaiting.delete().where(AuditWaiting.entry_id.in_(waiting)).execute()
        mac = _mac(key, _head_text(seq, last))
        AuditHead.update(seq=seq, last=last, key_id=key_id, mac=mac).where(AuditHead.id == _ROW_ID).execute()
    return len(found)


def verify() -> Verdict:
    """Follow the chain from its beginning to its head."""
    with read():
        sealed, last, broken = 0, "", None
        for seal, entry in _links():
            if reason := _fault(sealed + 1, last, seal, entry):
                broken = Break(seal.seq, seal.entry_id, reason)
                break
            sealed, last = sealed + 1, seal.mac
        if broken is None and (reason := _head_fault(AuditHead.get_by_id(_ROW_ID), sealed, last)):
            broken = Break(0, None, reason)
        broken = broken or _forgotten()
        return Verdict(sealed, AuditWaiting.select().count(), last, broken)


def _links() -> Iterator[tuple[AuditSeal, AuditEntry | None]]:
    """Yield the seals in their order, each with its entry."""
    after = 0
    while seals := list(AuditSeal.select().where(AuditSeal.seq > after).order_by(AuditSeal.seq).limit(_BATCH)):
        wanted = [seal.entry_id for seal in seals]
        entries = {entry.id: entry for entry in AuditEntry.select().where(AuditEntry.id.in_(wanted))}
        for seal in seals:
            yield seal, entries.get(seal.entry_id)
        after = seals[-1].seq


def _fault(expected: int, last: str, seal: AuditSeal, entry: AuditEntry | None) -> str | None:
    if seal.seq != expected:
        return f"seal {expected} is missing"
    if entry is None:
        return "the entry was removed"
    key = _keys().get(seal.key_id)
    if key is None:
        return f"it was sealed under a key ({seal.key_id}) that ACCORD_SECRET_KEYS does not hold"
    holds = hmac.compare_digest(_mac(key, last.encode() + _canonical(entry)), seal.mac)
    return None if holds else "the entry or its seal was changed or moved"


def _head_fault(head: AuditHead, sealed: int, last: str) -> str | None:
    if head.seq == sealed == 0:
        return None
    key = _keys().get(head.key_id)
    if key is None or not hmac.compare_digest(_mac(key, _head_text(head.seq, head.last)), head.mac):
        return "the head was changed"
    return None if (head.seq, head.last) == (sealed, last) else f"the chain ends at {sealed}; its head says {head.seq}"


def _forgotten() -> Break | None:
    """Find an entry that neither has a seal nor waits for one."""
    known: Any = AuditSeal.select(AuditSeal.entry_id) | AuditWaiting.select(AuditWaiting.entry_id)
    entry = AuditEntry.select().where(AuditEntry.id.not_in(known)).order_by(AuditEntry.id).first()
    return None if entry is None else Break(0, entry.id, "the entry has no seal and waits for none")


def _hold_head() -> AuditHead:
    """Return the head, its row locked until the write transaction ends."""
    head: AuditHead = locked(AuditHead.select().where(AuditHead.id == _ROW_ID)).get()
    return head


def _keys() -> dict[str, bytes]:
    """Return the keys by their ids, the one that seals first."""
    return _derived(secrets_in_use())


@lru_cache(maxsize=4)
def _derived(secrets: tuple[str, ...]) -> dict[str, bytes]:
    keys = [derive(secret, _PURPOSE) for secret in secrets]
    return {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}


def _mac(key: bytes, text: bytes) -> str:
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _head_text(seq: int, last: str) -> bytes:
    return f"head {seq} {last}".encode()


def _canonical(entry: AuditEntry) -> bytes:
    """Return the entry as bytes that are the same on both databases."""
    values = {name: getattr(entry, name) for name in sorted(AuditEntry._meta.fields)}
    return msgspec.json.encode(values, order="sorted")
