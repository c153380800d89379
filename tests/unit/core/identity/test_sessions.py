"""Sessions: opened, rotated by one winner, ended by age, idleness, logout and a sixth login."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.identity import logins, sessions, users
from core.identity.throttling import Origin
from core.kernel import clock
from core.kernel.problems import AccountDisabled, InvalidCredentials, Unauthenticated
from core.kernel.sealing import digest
from core.kernel.settings import Settings
from core.system import epoch
from models.database import database as door
from models.database import read
from models.tables.identity import Membership, Session, SessionSecret, Successor, User
from tests.conftest import FrozenClock
from tests.unit.core.world import PASSWORD, make_administrator, make_member, race, verified

HERE = Origin("192.0.2.1")


@pytest.fixture
def user(database: Settings) -> User:
    make_administrator()
    return make_member()


def _open(user: User) -> sessions.OpenSession:
    return sessions.do_open_session(verified(user), client_address="192.0.2.1", user_agent="x" * 600)


def _live(user: User) -> list[Session]:
    with read():
        return [row for row in Session.select().where(Session.user == user) if sessions.is_live(row)]


def test_login_is_verified_by_email_user_name_and_phone(user: User) -> None:
    users.do_update_user(user.id, {"phone_number": "+491234567"})
    for name in ("ben@example.com", "BEN@example.com", "+491234567"):
        assert logins.verify_login(name, PASSWORD, HERE).user_id == user.id
    assert logins.verify_login("ada", PASSWORD, HERE).user_id != user.id


@pytest.mark.parametrize(("name", "password"), [("ben@example.com", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_login_is_refused_alike(user: User, name: str, password: str) -> None:
    with pytest.raises(InvalidCredentials) as refused:
        logins.verify_login(name, password, HERE)
    assert refused.value.detail == InvalidCredentials.title


def test_login_is_refused_when_the_user_has_no_password(user: User) -> None:
    users.do_update_user(user.id, {"password_hash": None})
    with pytest.raises(InvalidCredentials):
        logins.verify_login(user.email, PASSWORD, HERE)


def test_session_is_refused_when_the_password_changed_meanwhile(user: User) -> None:
    proof = verified(user)
    users.do_update_user(user.id, {"password_hash": "$argon2id$other"})
    with pytest.raises(InvalidCredentials):
        sessions.do_open_session(proof, client_address="", user_agent="")


def test_session_is_refused_when_the_user_is_disabled_or_in_no_tenant(user: User) -> None:
    with door.atomic():
        Membership.delete().where(Membership.user == user).execute()
    with pytest.raises(AccountDisabled):
        _open(user)
    users.do_update_user(user.id, {"is_active": False})
    with pytest.raises(AccountDisabled):
        _open(user)


def test_only_digests_are_stored(user: User) -> None:
    opened = _open(user)
    with read():
        row = SessionSecret.get(SessionSecret.session == opened.session)
    assert (row.digest, row.csrf_digest) == (digest(opened.secret), digest(opened.csrf))


def test_windows_are_eight_hours_and_seven_days(user: User, frozen_clock: FrozenClock) -> None:
    session = _open(user).session
    assert session.expires_at - session.issued_at == timedelta(hours=8)
    assert session.absolute_expires_at - session.issued_at == timedelta(days=7)


def test_oldest_session_ends_when_a_sixth_opens(user: User, frozen_clock: FrozenClock) -> None:
    opened = []
    for _ in range(6):
        opened.append(_open(user).session.id)
        frozen_clock.advance(1)
    assert {row.id for row in _live(user)} == set(opened[1:])


def test_at_most_five_sessions_live_when_logins_race(user: User) -> None:
    outcomes = race(40, lambda: _open(user))
    assert all(isinstance(outcome, sessions.OpenSession) for outcome in outcomes)
    assert len(_live(user)) == 5


def test_rotation_gives_new_secrets_and_moves_only_the_idle_end(user: User, frozen_clock: FrozenClock) -> None:
    opened, before = _open(user), epoch.current()
    frozen_clock.advance(3600)
    rotated = sessions.do_rotate_session(opened.secret)
    assert rotated.secret != opened.secret
    assert rotated.csrf != opened.csrf
    assert rotated.session.id == opened.session.id
    assert rotated.session.expires_at == clock.now() + sessions.IDLE
    assert rotated.session.absolute_expires_at == opened.session.absolute_expires_at
    assert epoch.current() > before


def test_repeat_gives_the_same_successor_within_the_grace(user: User, frozen_clock: FrozenClock) -> None:
    opened = _open(user)
    first = sessions.do_rotate_session(opened.secret)
    frozen_clock.advance(9.9)
    again = sessions.do_rotate_session(opened.secret)
    assert (again.secret, again.csrf) == (first.secret, first.csrf)


def test_reuse_ends_the_session_when_the_grace_is_over(user: User, frozen_clock: FrozenClock) -> None:
    opened = _open(user)
    successor = sessions.do_rotate_session(opened.secret)
    frozen_clock.advance(10)
    with pytest.raises(Unauthenticated):
        sessions.do_rotate_session(opened.secret)
    assert _live(user) == []
    with pytest.raises(Unauthenticated):
        sessions.do_rotate_session(successor.secret)


def test_one_successor_is_made_when_200_refresh_at_once(user: User, frozen_clock: FrozenClock) -> None:
    opened = _open(user)
    outcomes = race(200, lambda: sessions.do_rotate_session(opened.secret))
    assert {outcome.secret for outcome in outcomes if isinstance(outcome, sessions.OpenSession)} == {outcomes[0].secret}
    assert len(outcomes) == 200
    assert all(isinstance(outcome, sessions.OpenSession) for outcome in outcomes)
    with read():
        assert SessionSecret.select().where(SessionSecret.session == opened.session).count() == 2


def test_successor_is_unreadable_without_its_predecessor(user: User) -> None:
    successor = sessions.do_rotate_session(_open(user).secret)
    with read():
        assert successor.secret.encode() not in bytes(Successor.get().sealed)


@pytest.mark.parametrize("seconds", [8 * 3600, 7 * 86_400])
def test_rotation_is_refused_when_the_session_is_over(user: User, frozen_clock: FrozenClock, seconds: int) -> None:
    opened = _open(user)
    frozen_clock.advance(seconds)
    with pytest.raises(Unauthenticated):
        sessions.do_rotate_session(opened.secret)


def test_absolute_end_stays_however_often_it_is_rotated(user: User, frozen_clock: FrozenClock) -> None:
    opened = _open(user)
    for _ in range(23):
        frozen_clock.advance(7 * 3600 + 18 * 60)
        opened = sessions.do_rotate_session(opened.secret)
    assert opened.session.expires_at == opened.session.absolute_expires_at
    frozen_clock.advance(6 * 60 + 60)
    with pytest.raises(Unauthenticated):
        sessions.do_rotate_session(opened.secret)


def test_unknown_secret_is_refused(user: User) -> None:
    with pytest.raises(Unauthenticated):
        sessions.do_rotate_session("unknown")


def test_ended_session_cannot_be_rotated_nor_repeated(user: User) -> None:
    opened = _open(user)
    successor = sessions.do_rotate_session(opened.secret)
    before = epoch.current()
    sessions.do_end_session(opened.session.id)
    assert epoch.current() > before
    for secret in (opened.secret, successor.secret):
        with pytest.raises(Unauthenticated):
            sessions.do_rotate_session(secret)
