"""First answers: claimed once, replayed to the same request, refused to another, unreadable at rest."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest

from core.kernel import clock
from core.kernel.exchange import Replay
from core.kernel.problems import AnswerExpired, IdempotencyKeyReused, RequestInProgress
from core.kernel.settings import Settings
from core.system.idempotency import SqlIdempotencyStore
from models.database import database as database_door
from models.database import is_sqlite, write
from models.tables.system import IdempotencyRecord
from tests.conftest import FrozenClock
from tests.unit.core.world import race

ANSWER = Replay(status=201, headers={"Location": "/x/1"}, body=b'{"secret":"s3cret-value"}')
PRINT = hashlib.sha256(b"POST /x password1").digest()


def _begin(store: SqlIdempotencyStore, *, key: str = "k", fingerprint: bytes = PRINT, is_secret: bool = False, **who):
    who = {"caller": "user:1", "operation_id": "op"} | who
    with write():
        return store.begin(**who, key=key, fingerprint=fingerprint, lease_until=_lease(), is_secret=is_secret)


def _lease() -> datetime:
    return clock.now() + timedelta(seconds=60)


def _answered(store: SqlIdempotencyStore, *, is_secret: bool = False) -> None:
    with write():
        names = {"caller": "user:1", "operation_id": "op", "key": "k"}
        lease = _lease()
        assert store.begin(**names, fingerprint=PRINT, lease_until=lease, is_secret=is_secret) is None
        store.store(**names, replay=ANSWER, lease_until=lease, is_secret=is_secret)


@pytest.fixture
def store(database: Settings) -> SqlIdempotencyStore:
    return SqlIdempotencyStore(database)


@pytest.mark.parametrize("is_secret", [False, True])
def test_answer_is_replayed_when_the_request_is_the_same(store: SqlIdempotencyStore, is_secret: bool) -> None:
    _answered(store, is_secret=is_secret)
    assert _begin(store, is_secret=is_secret) == ANSWER


def test_key_is_refused_when_the_request_is_another(store: SqlIdempotencyStore) -> None:
    _answered(store)
    with pytest.raises(IdempotencyKeyReused):
        _begin(store, fingerprint=hashlib.sha256(b"other").digest())


@pytest.mark.parametrize("who", [{"caller": "user:2"}, {"operation_id": "other"}])
def test_key_is_free_to_other_callers_and_operations(store: SqlIdempotencyStore, who: dict[str, str]) -> None:
    _answered(store)
    assert _begin(store, **who) is None


def test_claim_goes_when_the_transaction_rolls_back(store: SqlIdempotencyStore) -> None:
    with write(), database_door.atomic() as savepoint:
        names = {"caller": "user:1", "operation_id": "op", "key": "k"}
        store.begin(**names, fingerprint=PRINT, lease_until=_lease(), is_secret=False)
        savepoint.rollback()
    assert _begin(store) is None


def test_committed_claim_is_in_progress_until_its_lease_ends(
    store: SqlIdempotencyStore, frozen_clock: FrozenClock
) -> None:
    assert _begin(store) is None
    with pytest.raises(RequestInProgress):
        _begin(store)
    frozen_clock.advance(61)
    assert _begin(store) is None


def test_claim_stands_as_long_as_it_is_renewed_by_who_holds_it(
    store: SqlIdempotencyStore, frozen_clock: FrozenClock
) -> None:
    names = {"caller": "user:1", "operation_id": "op", "key": "k"}
    first = _lease()
    assert _begin(store) is None
    frozen_clock.advance(50)
    with write():
        assert store.renew(**names, lease_until=first, renewed_until=_lease())
        assert not store.renew(**names, lease_until=first, renewed_until=_lease())
    frozen_clock.advance(50)
    with pytest.raises(RequestInProgress):
        _begin(store)
    frozen_clock.advance(11)
    assert _begin(store) is None


def test_claim_is_free_when_released(store: SqlIdempotencyStore, frozen_clock: FrozenClock) -> None:
    assert _begin(store) is None
    with write():
        store.release(caller="user:1", operation_id="op", key="k", lease_until=_lease())
    assert _begin(store) is None


def test_release_keeps_what_was_answered(store: SqlIdempotencyStore, frozen_clock: FrozenClock) -> None:
    _answered(store)
    with write():
        store.release(caller="user:1", operation_id="op", key="k", lease_until=_lease())
    assert _begin(store) == ANSWER


def test_lapsed_claim_can_neither_answer_nor_release_when_another_took_its_place(
    store: SqlIdempotencyStore, frozen_clock: FrozenClock
) -> None:
    lapsed = _lease()
    assert _begin(store) is None
    frozen_clock.advance(61)
    assert _begin(store) is None
    names = {"caller": "user:1", "operation_id": "op", "key": "k", "lease_until": lapsed}
    with pytest.raises(RequestInProgress), write():
        store.store(**names, replay=ANSWER, is_secret=False)
    with write():
        store.release(**names)
    with pytest.raises(RequestInProgress):
        _begin(store)


def test_answer_is_kept_when_its_lease_ends_later(store: SqlIdempotencyStore, frozen_clock: FrozenClock) -> None:
    _answered(store)
    frozen_clock.advance(61)
    assert _begin(store) == ANSWER


def test_answer_is_forgotten_when_a_day_has_passed(store: SqlIdempotencyStore, frozen_clock: FrozenClock) -> None:
    _answered(store)
    frozen_clock.advance(24 * 3600 - 1)
    assert _begin(store) == ANSWER
    frozen_clock.advance(1)
    assert _begin(store) is None


def test_secret_is_not_replayed_when_ten_minutes_have_passed(
    store: SqlIdempotencyStore, frozen_clock: FrozenClock
) -> None:
    _answered(store, is_secret=True)
    frozen_clock.advance(599)
    assert _begin(store, is_secret=True) == ANSWER
    frozen_clock.advance(1)
    with pytest.raises(AnswerExpired):
        _begin(store, is_secret=True)


def test_nothing_stored_tells_key_request_or_secret(store: SqlIdempotencyStore) -> None:
    _answered(store, is_secret=True)
    with write():
        row = IdempotencyRecord.select().dicts().get()
    stored = repr({name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()})
    assert "s3cret" not in stored
    assert "user:1" not in stored
    assert repr(PRINT)[2:-1] not in stored


def test_one_request_runs_when_duplicates_race(store: SqlIdempotencyStore) -> None:
    def attempt() -> str:
        with write():
            names = {"caller": "user:1", "operation_id": "op", "key": "k"}
            lease = _lease()
            replay = store.begin(**names, fingerprint=PRINT, lease_until=lease, is_secret=False)
            if replay is not None:
                return "replayed"
            store.store(**names, replay=ANSWER, lease_until=lease, is_secret=False)
            return "ran"

    outcomes = race(100, attempt)
    assert outcomes.count("ran") == 1
    refused = [outcome for outcome in outcomes if outcome not in {"ran", "replayed"}]
    assert all(type(outcome) is RequestInProgress for outcome in refused)
    assert not (refused and is_sqlite())
