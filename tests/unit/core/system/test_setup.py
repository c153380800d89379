"""The set-up: one guarded row, one administrator, both doors."""

from __future__ import annotations

import itertools

import pytest

from core.identity import access, users
from core.kernel import settings
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.settings import Settings
from core.system import setup
from models.database import read
from models.tables.identity import Membership, User
from tests.databases import read_settings
from tests.unit.core.world import PASSWORD_HASH, make_administrator, race


def test_first_administrator_is_superadmin_and_member(database: Settings) -> None:
    assert not setup.is_set_up()
    user = make_administrator()
    assert setup.is_set_up()
    with read():
        assert [role.name for role in access.get_roles(user.id, ROOT_TENANT_ID)] == ["superadmin", "member"]
        assert Membership.get(Membership.user == user).tenant_id == ROOT_TENANT_ID


def test_one_administrator_is_made_when_100_try_at_once(database: Settings) -> None:
    numbers = itertools.count()
    outcomes = race(
        100,
        lambda: setup.do_set_up(users.NewUser(email=f"p{next(numbers)}@example.com", password_hash=PASSWORD_HASH)),
    )
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes} == {User, setup.AlreadySetUp}
    with read():
        assert User.select().count() == 1


def test_door_stays_open_when_the_user_cannot_be_made(database: Settings) -> None:
    users.do_create_user(users.NewUser(email="ada@example.com"), ROOT_TENANT_ID)
    with pytest.raises(users.UserExists):
        setup.do_set_up(users.NewUser(email="ADA@example.com", password_hash=PASSWORD_HASH))
    assert not setup.is_set_up()


@pytest.mark.parametrize("given", [None, "", "wrong"])
def test_token_is_asked_for_when_not_dev_on_loopback(database: Settings, tmp_path_factory, given) -> None:
    production = read_settings(
        tmp_path_factory.mktemp("data"), profile="production", secret_keys="k" * 32, setup_token="right"
    )
    settings.install(production)
    with pytest.raises(setup.SetupTokenWrong):
        setup.check_token(given)
    setup.check_token("right")


def test_no_token_is_right_when_none_is_configured(database: Settings, tmp_path_factory) -> None:
    settings.install(read_settings(tmp_path_factory.mktemp("data"), profile="production", secret_keys="k" * 32))
    for given in (None, "", "anything"):
        with pytest.raises(setup.SetupTokenWrong):
            setup.check_token(given)


def test_dev_on_loopback_asks_for_no_token(database: Settings) -> None:
    setup.check_token(None)


def test_password_is_hashed_only_while_the_doors_are_open(database: Settings) -> None:
    assert (setup.prepare_set_up(None, "correct horse") or "").startswith("$argon2id$")
    make_administrator()
    assert setup.prepare_set_up(None, "correct horse") is None
