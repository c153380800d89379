"""Browser sessions: opened by a login, rotated by refresh, ended by logout, idleness, age or a sixth login."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from core.identity import logins, rotation
from core.kernel import clock
from core.kernel.ids import new_secret, new_uuid
from core.kernel.problems import Unauthenticated
from core.kernel.sealing import digest
from core.system import epoch
from models.database import read, write
from models.tables.identity import Session, SessionSecret

IDLE = timedelta(hours=8)
ABSOLUTE = timedelta(days=7)
MAX_SESSIONS = 5
_CSRF_BYTES = 16


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session with the secrets that only its browser will know: SESSION_ID and CSRF-TOKEN."""

    session: Session
    secret: str
    csrf: str


class _Pair(msgspec.Struct, frozen=True):
    secret: str
    csrf: str


def do_open_session(verified: logins.Verified, *, client_address: str, user_agent: str) -> OpenSession:
    """Open a session for a verified user and end the oldest beyond five.

    Raises:
        InvalidCredentials, AccountDisabled: see `logins.access_verified`.
    """
    now = clock.now()
    with write():
        admitted = logins.access_verified(verified)
        session = Session.create(
            id=new_uuid(),
            user=admitted.user,
            tenant=admitted.tenant_id,
            issued_at=now,
            expires_at=now + IDLE,
            absolute_expires_at=now + ABSOLUTE,
            client_address=client_address[:64],
            user_agent=user_agent[:512],
        )
        _end_oldest(admitted.user.id, now)
        return _give_secret(session)


def do_rotate_session(secret: str) -> OpenSession:
    """Replace the session's secrets; of parallel callers one wins, and the others are given the winner's within 10 s.

    Raises:
        Unauthenticated: the session is over, or the secret was replaced longer ago, which ends the session.
    """
    with write():
        opened = _rotate(secret) or _repeat(secret)
    if opened is None:
        raise Unauthenticated("The session is over.")
    return opened


def do_end_session(session_id: UUID) -> None:
    """End a session; its streams end too. Ending it again changes nothing."""
    with write():
        ended = Session.update(ended_at=clock.now()).where(Session.id == session_id, Session.ended_at.is_null())
        if ended.execute():
            epoch.bump()


def get_session(session_id: UUID) -> Session:
    """Return the session.

    Raises:
        Unauthenticated: it is gone.
    """
    with read():
        session = Session.get_or_none(Session.id == session_id)
    if session is None:
        raise Unauthenticated
    return session


def do_touch_session(session_id: UUID) -> None:
    """Begin the idle window anew, never to end behind the absolute end; nothing where the session has just gone."""
    with write():
        session = Session.get_or_none(Session.id == session_id)
        if session is not None:
            session.expires_at = min(clock.now() + IDLE, session.absolute_expires_at)
            session.save(only=[Session.expires_at])


def _rotate(secret: str) -> OpenSession | None:
    now = clock.now()
    row = SessionSecret.update(replaced_at=now).where(
        SessionSecret.digest == digest(secret), SessionSecret.replaced_at.is_null()
    )
    if not row.execute():
        return None
    session = SessionSecret.get_by_id(digest(secret)).session
    if not is_live(session, now):
        return None
    session.expires_at = min(now + IDLE, session.absolute_expires_at)
    session.save(only=[Session.expires_at])
    opened = _give_secret(session)
    rotation.keep_successor(secret, msgspec.json.encode(_Pair(opened.secret, opened.csrf)).decode())
    epoch.bump()
    return opened


def _repeat(secret: str) -> OpenSession | None:
    row = SessionSecret.get_or_none(SessionSecret.digest == digest(secret))
    if row is None:
        return None
    kept = rotation.find_successor(secret)
    if kept is None:
        do_end_session(row.session_id)
        return None
    pair = msgspec.json.decode(kept, type=_Pair)
    return OpenSession(session=row.session, secret=pair.secret, csrf=pair.csrf) if is_live(row.session) else None


def is_live(session: Session, now: datetime | None = None) -> bool:
    """Say whether the session was neither ended nor outlived."""
    now = now or clock.now()
    return session.ended_at is None and now < session.expires_at and now < session.absolute_expires_at


def _give_secret(session: Session) -> OpenSession:
    opened = OpenSession(session=session, secret=new_secret(), csrf=new_secret(_CSRF_BYTES))
    SessionSecret.create(digest=digest(opened.secret), session=session, csrf_digest=digest(opened.csrf))
    return opened


def _end_oldest(user_id: UUID, now: datetime) -> None:
    """Keep the five newest live sessions."""
    live = Session.select(Session.id).where(
        Session.user == user_id, Session.ended_at.is_null(), Session.expires_at > now
    )
    surplus = [session.id for session in live.order_by(Session.issued_at.desc(), Session.id.desc())][MAX_SESSIONS:]
    if surplus:
        Session.update(ended_at=now).where(Session.id.in_(surplus)).execute()
        epoch.bump()
