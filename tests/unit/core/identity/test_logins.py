"""A login beside a change that ends every credential: whichever comes last, none outlives the change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from uuid import UUID

import pytest

from core.identity import access, accounts, sessions, tokens, users
from core.kernel.principal import ROOT_TENANT_ID, Principal
from core.kernel.problems import AccountDisabled, InvalidCredentials
from core.kernel.settings import Settings
from models.database import read, write
from models.tables.identity import Membership, Session, TokenFamily, User
from tests.unit.core.world import make_administrator, make_member, verified

_HEAD_START_SECONDS = 0.5
"""A login that waits for nobody is over long before."""


@pytest.fixture
def user(database: Settings) -> User:
    make_administrator()
    return make_member()


def _change_password(user: User) -> None:
    users.do_update_user(user.id, {"password_hash": "another"})


def _disable(user: User) -> None:
    users.do_update_user(user.id, {"is_active": False})


def _disable_account(user: User) -> None:
    maker = Principal(
        kind="token", user_id=UUID(int=1), tenant_id=ROOT_TENANT_ID, credential_id="", scopes=frozenset({"iam:admin"})
    )
    account = Membership.get(Membership.user == user, Membership.tenant == ROOT_TENANT_ID)
    accounts.do_update_account(maker, ROOT_TENANT_ID, account.id, accounts.Changes(is_active=False))


def _open_session(user: User) -> None:
    sessions.do_open_session(verified(user), client_address="", user_agent="")


def _issue_token(user: User) -> None:
    tokens.do_issue_token(verified(user), None)


@pytest.mark.parametrize("log_in", [_open_session, _issue_token])
@pytest.mark.parametrize("end", [_change_password, _disable, _disable_account])
def test_no_login_that_runs_beside_the_end_of_all_credentials_outlives_it(
    user: User, end: Callable[[User], None], log_in: Callable[[User], None]
) -> None:
    assert access.find_home_tenant(user.id) == ROOT_TENANT_ID
    with ThreadPoolExecutor(1) as pool:
        with write():
            end(user)
            login = pool.submit(log_in, user)
            wait([login], timeout=_HEAD_START_SECONDS)
        with suppress(InvalidCredentials, AccountDisabled):
            login.result()
    with read():
        assert not Session.select().where(Session.user == user, Session.ended_at.is_null()).exists()
        assert not TokenFamily.select().where(TokenFamily.user == user, TokenFamily.revoked_at.is_null()).exists()
