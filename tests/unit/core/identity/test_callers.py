"""The verifier's cache: never older than a revocation, and current callers told from former ones."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from core.identity import api_keys, biscuits, sessions, tokens, users
from core.identity.callers import CallerVerifier
from core.kernel import clock
from core.kernel.exchange import Credentials
from core.kernel.principal import ROOT_TENANT_ID, Principal
from core.kernel.problems import AccountDisabled, CsrfFailed
from core.kernel.settings import Settings
from core.system import epoch
from models.database import write
from models.tables.identity import Membership, Tenant, Token, TokenFamily, User
from tests.conftest import FrozenClock
from tests.factories.tokens import narrow
from tests.unit.core.world import make_administrator, make_member, verified


@pytest.fixture
def user(database: Settings) -> User:
    make_administrator()
    return make_member()


@pytest.fixture
def verifier(user: User, database: Settings) -> CallerVerifier:
    return CallerVerifier(database)


def _ask(verifier: CallerVerifier, *, is_unsafe: bool = False, operation_id: str = "x", **values: str):
    return verifier.verify(
        Credentials(
            values=values,
            is_unsafe=is_unsafe,
            error_style="conversations",
            client_address="192.0.2.1",
            operation_id=operation_id,
        )
    )


def _session(user: User) -> sessions.OpenSession:
    return sessions.do_open_session(verified(user), client_address="", user_agent="")


def _known(principal: Principal | None) -> Principal:
    assert principal is not None
    return principal


def test_session_and_bearer_lead_to_the_same_person(verifier: CallerVerifier, user: User) -> None:
    session = _known(_ask(verifier, session=_session(user).secret))
    bearer = _known(_ask(verifier, bearer=tokens.do_issue_token(verified(user), None).token))
    assert (session.kind, bearer.kind) == ("session", "token")
    assert session.user_id == bearer.user_id == user.id
    assert session.scopes == bearer.scopes
    assert "git:push" not in session.scopes


@pytest.mark.parametrize("values", [{}, {"csrf": "x"}, {"session": "x"}, {"bearer": "x"}])
def test_nothing_valid_is_no_one(verifier: CallerVerifier, values: dict[str, str]) -> None:
    assert _ask(verifier, **values) is None


def test_unsafe_request_of_a_session_needs_its_csrf_token(verifier: CallerVerifier, user: User) -> None:
    opened, other = _session(user), _session(user)
    assert _ask(verifier, is_unsafe=True, session=opened.secret, csrf=opened.csrf)
    for csrf in ({}, {"csrf": other.csrf}, {"csrf": ""}):
        with pytest.raises(CsrfFailed):
            _ask(verifier, is_unsafe=True, session=opened.secret, **csrf)


def _end_session(user: User, opened: sessions.OpenSession) -> None:
    sessions.do_end_session(opened.session.id)


def _change_password(user: User, opened: sessions.OpenSession) -> None:
    users.do_update_user(user.id, {"password_hash": "x"})


def _leave(user: User, opened: sessions.OpenSession) -> None:
    with write():
        Membership.delete().where(Membership.user == user).execute()
        epoch.bump()


@pytest.mark.parametrize("end", [_end_session, _change_password, _leave])
def test_cached_session_is_refused_and_no_longer_current_once_revoked(verifier, user: User, end) -> None:
    opened = _session(user)
    principal = _known(_ask(verifier, session=opened.secret))
    assert verifier.is_current(principal)
    end(user, opened)
    assert _ask(verifier, session=opened.secret) is None
    assert not verifier.is_current(principal)


def _key(user: User, scopes: tuple[str, ...] = ("chat:read",)) -> tuple[Principal, api_keys.MadeKey]:
    """Make a key, and return a caller who may do everything with it to it."""
    maker = Principal(
        kind="token",
        user_id=user.id,
        tenant_id=ROOT_TENANT_ID,
        credential_id="",
        scopes=users.access.get_scopes(user.id, ROOT_TENANT_ID),
    )
    return maker, api_keys.do_create_key(maker, ROOT_TENANT_ID, api_keys.NewKey(name="a key", scopes=scopes))


def _delete_key(maker: Principal, key_id: UUID) -> None:
    api_keys.do_delete_key(maker, ROOT_TENANT_ID, key_id)


def _rotate_key(maker: Principal, key_id: UUID) -> None:
    api_keys.do_rotate_key(maker, ROOT_TENANT_ID, key_id, overlap_seconds=0)


def _disable_maker(maker: Principal, key_id: UUID) -> None:
    with write():
        User.update(is_active=False).where(User.id == maker.user_id).execute()
        epoch.bump()


def _suspend_account(maker: Principal, key_id: UUID) -> None:
    with write():
        Membership.update(is_active=False).where(Membership.user == maker.user_id).execute()
        epoch.bump()


@pytest.mark.parametrize("end", [_delete_key, _rotate_key, _disable_maker, _suspend_account])
def test_cached_key_is_refused_and_no_longer_current_once_ended(verifier, user: User, end) -> None:
    maker, made = _key(user)
    principal = _known(_ask(verifier, api_key=made.secret))
    assert (principal.kind, principal.key) == ("api_key", f"key:{made.key.id}")
    assert verifier.is_current(principal)
    end(maker, made.key.id)
    with suppress(AccountDisabled):
        assert _ask(verifier, api_key=made.secret) is None
    assert not verifier.is_current(principal)


def test_key_of_a_system_wide_administrator_opens_other_tenants_until_disabled(verifier, user: User) -> None:
    tenant = Tenant.create(name="other", created_at=clock.now())
    administrator = User.get(User.id != user.id)
    maker, _ = _key(administrator)
    made = api_keys.do_create_key(maker, tenant.id, api_keys.NewKey(name="a key"))
    principal = _known(_ask(verifier, api_key=made.secret))
    assert (principal.tenant_id, "iam:admin" in principal.scopes) == (tenant.id, False)
    assert verifier.is_current(principal)
    _disable_maker(maker, made.key.id)
    assert not verifier.is_current(principal)


def test_key_is_over_when_its_time_is(verifier: CallerVerifier, user: User, frozen_clock: FrozenClock) -> None:
    maker, made = _key(user)
    principal = _known(_ask(verifier, api_key=made.secret))
    api_keys.do_rotate_key(maker, ROOT_TENANT_ID, made.key.id, overlap_seconds=5)
    frozen_clock.advance(4)
    assert verifier.is_current(principal)
    frozen_clock.advance(1)
    assert not verifier.is_current(principal)


def test_elevated_scope_counts_in_an_elevated_family_alone(verifier: CallerVerifier, user: User) -> None:
    tokens.do_issue_token(verified(user), None)
    expires_at = clock.now() + timedelta(hours=1)
    minted = biscuits.mint(user_id=user.id, tenant_id=ROOT_TENANT_ID, scopes=["git:push"], expires_at=expires_at)
    with write():
        family = TokenFamily.get()
        Token.create(revocation_id=minted.revocation_id, family=family, expires_at=expires_at)
    assert _known(_ask(verifier, bearer=minted.token)).scopes == frozenset()
    with write():
        TokenFamily.update(is_elevated=True).execute()
        epoch.bump()
    principal = _known(_ask(verifier, bearer=minted.token))
    assert principal.scopes == {"git:push"}
    assert verifier.is_current(principal)


def test_disabled_user_is_told_so(verifier: CallerVerifier, user: User) -> None:
    opened = _session(user)
    principal = _known(_ask(verifier, session=opened.secret))
    users.do_update_user(user.id, {"is_active": False})
    with pytest.raises(AccountDisabled):
        _ask(verifier, session=opened.secret)
    assert not verifier.is_current(principal)


def test_caller_is_not_current_when_a_scope_was_taken(verifier: CallerVerifier, user: User) -> None:
    principal = _known(_ask(verifier, session=_session(user).secret))
    member = next(iter(users.access.get_roles(user.id, ROOT_TENANT_ID)))
    users.do_remove_role(user.id, member.id, ROOT_TENANT_ID)
    assert not verifier.is_current(principal)


def test_token_holds_no_more_than_its_user_does_now(verifier: CallerVerifier, user: User) -> None:
    token = tokens.do_issue_token(verified(user), ["chat:read"]).token
    assert _known(_ask(verifier, bearer=token)).scopes == {"chat:read"}
    member = next(iter(users.access.get_roles(user.id, ROOT_TENANT_ID)))
    users.do_remove_role(user.id, member.id, ROOT_TENANT_ID)
    assert _known(_ask(verifier, bearer=token)).scopes == frozenset()


def test_stream_outlives_a_refresh_of_its_credential(verifier: CallerVerifier, user: User) -> None:
    opened, issued = _session(user), tokens.do_issue_token(verified(user), None)
    callers = [_known(_ask(verifier, session=opened.secret)), _known(_ask(verifier, bearer=issued.token))]
    sessions.do_rotate_session(opened.secret)
    tokens.do_refresh_token(issued.token)
    assert _ask(verifier, session=opened.secret) is None
    assert _ask(verifier, bearer=issued.token) is None
    assert all(verifier.is_current(principal) for principal in callers)


def test_replaced_credentials_pass_to_their_refresh_alone(verifier: CallerVerifier, user: User) -> None:
    opened, issued = _session(user), tokens.do_issue_token(verified(user), None)
    sessions.do_rotate_session(opened.secret)
    tokens.do_refresh_token(issued.token)
    assert _ask(verifier, operation_id="sessions_refresh", session=opened.secret)
    assert _ask(verifier, operation_id="tokens_refresh", bearer=issued.token)
    assert _ask(verifier, operation_id="sessions_logout", session=opened.secret) is None


def test_parent_revoked_takes_what_was_narrowed_from_it(verifier: CallerVerifier, user: User) -> None:
    token = tokens.do_issue_token(verified(user), None).token
    narrowed = narrow(token, 'check if requested_scope("chat:read");')
    child = _known(_ask(verifier, bearer=narrowed))
    tokens.do_revoke_token(_known(_ask(verifier, bearer=token)).credential_id)
    assert _ask(verifier, bearer=narrowed) is None
    assert not verifier.is_current(child)


def test_time_that_a_holder_set_is_kept_to_the_second(
    verifier: CallerVerifier, user: User, frozen_clock: FrozenClock
) -> None:
    token = tokens.do_issue_token(verified(user), None).token
    end = int(frozen_clock.seconds) + 5
    moment = datetime.fromtimestamp(end, UTC)
    short = narrow(token, f"check if time($t), $t < {moment.strftime('%Y-%m-%dT%H:%M:%SZ')};")
    frozen_clock.advance(4)
    assert _ask(verifier, bearer=short)
    frozen_clock.advance(1)
    assert _ask(verifier, bearer=short) is None


def _in_seconds(clock: FrozenClock, seconds: int) -> datetime:
    return datetime.fromtimestamp(int(clock.seconds) + seconds, UTC)


@pytest.mark.parametrize(
    ("check", "seconds"),
    [
        ("check if time($t), $t < {};", 60),
        ("check if time($t), $t <= {};", 60),
        ('check if time($t), $t < {} or requested_scope("chat:read");', 60),
        ("check if time($t), $t > {};", -60),
        ('check if requested_scope("chat:read");', None),
    ],
)
def test_caller_is_over_when_a_moment_comes_that_a_holder_named(
    verifier: CallerVerifier, user: User, frozen_clock: FrozenClock, check: str, seconds: int | None
) -> None:
    issued = tokens.do_issue_token(verified(user), None)
    named = _in_seconds(frozen_clock, seconds or 0)
    token = narrow(issued.token, check.format(named.strftime("%Y-%m-%dT%H:%M:%SZ")))
    principal = _known(_ask(verifier, bearer=token))
    expected = named if seconds == 60 else issued.expires_at
    assert principal.expires_at == expected
    assert verifier.expires_at(principal) == expected
    if seconds == 60:
        frozen_clock.advance(60.5)
        later = _ask(verifier, bearer=token)
        assert later is None or later.expires_at in {named + timedelta(seconds=1), issued.expires_at}


def test_end_of_a_caller_moves_on_when_its_credential_is_renewed(
    verifier: CallerVerifier, user: User, frozen_clock: FrozenClock
) -> None:
    opened, issued = _session(user), tokens.do_issue_token(verified(user), None)
    session, bearer = _known(_ask(verifier, session=opened.secret)), _known(_ask(verifier, bearer=issued.token))
    assert session.expires_at == verifier.expires_at(session)
    assert bearer.expires_at == verifier.expires_at(bearer) == issued.expires_at
    frozen_clock.advance(3600)
    _ask(verifier, session=opened.secret)
    tokens.do_refresh_token(issued.token)
    for principal in (session, bearer):
        assert principal.expires_at is not None
        assert verifier.expires_at(principal) == principal.expires_at + timedelta(hours=1)


def test_end_of_a_key_comes_nearer_when_it_is_rotated(
    verifier: CallerVerifier, user: User, frozen_clock: FrozenClock
) -> None:
    maker, made = _key(user)
    principal = _known(_ask(verifier, api_key=made.secret))
    assert principal.expires_at is None
    assert verifier.expires_at(principal) is None
    api_keys.do_rotate_key(maker, ROOT_TENANT_ID, made.key.id, overlap_seconds=60)
    assert verifier.is_current(principal)
    assert verifier.expires_at(principal) == clock.now() + timedelta(seconds=60)


def test_open_session_is_current_no_longer_when_sessions_are_switched_off(user: User, database: Settings) -> None:
    opened = _session(user)
    principal = _known(_ask(CallerVerifier(database), session=opened.secret))
    switched_off = CallerVerifier(msgspec.structs.replace(database, auth_v1=False))
    assert _ask(switched_off, session=opened.secret) is None
    assert not switched_off.is_current(principal)
