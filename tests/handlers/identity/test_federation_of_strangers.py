"""Whom a first login leads to, where others have been before: who registered the address, made an account for it, or disabled one."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from core.identity import users
from core.kernel.principal import ROOT_TENANT_ID
from models.database import read
from models.tables.federation import FederatedIdentity
from tests.client import Person
from tests.factories.tenants import Tenancy, register
from tests.handlers.identity.conftest import Federation


def test_an_account_that_somebody_prepared_is_not_linked(federation: Federation) -> None:
    """Make an account for Dora's address in a tenant of one's own, and wait inside with its password: she is not led there."""
    body = {"email": "mallory@example.org", "organizationName": "Mallory Ltd"}
    tenant_id = federation.client.call("tenants_register", body=body).json["data"]["tenantId"]
    new = users.NewUser(email="dora@example.com", password_hash="a hash that Mallory knows the password of")
    users.do_create_user(new, UUID(tenant_id))
    answer = federation.log_in("dora")
    assert (answer.status, answer.json["error"]["details"]["code"]) == (403, "link_not_allowed")
    with read():
        assert not FederatedIdentity.select().exists()


def _log_in(federation: Federation, person: str, tenant_id: str | None = None) -> Person:
    token = federation.log_in(person, tenant_id).json["access_token"]
    return Person(user_id="", name="", email="", password="", token=token)


def _actor(federation: Federation, tenancy: Tenancy) -> str:
    """Return the user whom the registration's key acts as."""
    keys = federation.client.call("api_keys_list", path={"tenantId": tenancy.id}, as_=tenancy.admin).json["data"]
    user_id: str = keys[0]["created_by"]
    return user_id


def test_an_address_that_was_only_registered_leads_its_owner_to_a_user_of_their_own(federation: Federation) -> None:
    """Register a tenant with Dora's address and keep the key, which acts as its user: Dora is not led there."""
    client = federation.client
    registered = register(client, email="dora@example.com")
    before = _actor(federation, registered)
    dora = _log_in(federation, "dora")
    me = client.call("tokens_get_me", as_=dora).json
    assert me["user_id"] != before
    assert client.call("tenants_get_own", as_=dora).json["data"]["id"] == str(ROOT_TENANT_ID)
    ada = federation.people.ada
    assert client.call("users_get", path={"id": me["user_id"]}, as_=ada).json["email"] == "dora@example.com"
    assert client.call("users_get", path={"id": before}, as_=ada).json["email"].endswith("@unproven.invalid")
    assert _actor(federation, registered) == before, "who registered keeps the tenant"
    assert client.call("tokens_get_me", as_=_log_in(federation, "dora")).json["user_id"] == me["user_id"]


def test_whoever_registered_invites_their_own_address_and_is_led_to_the_tenant(federation: Federation) -> None:
    client = federation.client
    registered = register(client, email="dora@example.com")
    path = {"tenantId": registered.id}
    body = {"email": "Dora@example.com", "name": "Dora", "role": "admin"}
    made = client.call("accounts_create", path=path, body=body, as_=registered.admin)
    assert made.status == 201, made.text
    assert client.call("accounts_create", path=path, body=body, as_=registered.admin).status == 409
    dora = _log_in(federation, "dora", registered.id)
    assert client.call("tenants_get_own", as_=dora).json["data"]["id"] == registered.id
    assert client.call("tokens_get_me", as_=dora).json["user_id"] == made.json["data"]["userId"]
    accounts = client.call("accounts_list", path=path, as_=registered.admin).json["data"]
    assert [row["email"] for row in accounts] == ["dora@example.com"] * 2
    assert accounts[0]["userId"] != accounts[1]["userId"]


def test_accounts_of_other_tenants_follow_the_address_to_who_proves_it(federation: Federation) -> None:
    client = federation.client
    squatter, host = register(client, email="dora@example.com"), register(client)
    path, body = {"tenantId": host.id}, {"email": "dora@example.com", "name": "Dora", "role": "admin"}
    assert client.call("accounts_create", path=path, body=body, as_=host.admin).status == 201
    dora = client.call("tokens_get_me", as_=_log_in(federation, "dora")).json["user_id"]
    accounts = client.call("accounts_list", path=path, as_=host.admin).json["data"]
    assert [row["role"] for row in accounts if row["userId"] == dora] == ["admin"]
    assert _actor(federation, squatter) not in {row["userId"] for row in accounts}


def test_a_tenant_that_prepared_an_account_does_not_catch_the_login(federation: Federation) -> None:
    """Make an account for Dora's address before anybody else: she is led where she asked for, by whoever asked first."""
    client = federation.client
    mallory, host = register(client), register(client)
    body = {"email": "dora@example.com", "name": "Dora", "role": "member"}
    for tenancy in (mallory, host):
        made = client.call("accounts_create", path={"tenantId": tenancy.id}, body=body, as_=tenancy.admin)
        assert made.status == 201, made.text
    root = str(ROOT_TENANT_ID)
    for asked, led in ((None, root), (host.id, host.id), (mallory.id, mallory.id), (root, root)):
        dora = _log_in(federation, "dora", asked)
        assert client.call("tenants_get_own", as_=dora).json["data"]["id"] == led
        assert client.call("tokens_get_me", as_=dora).json["user_id"] == made.json["data"]["userId"]


def test_a_login_leads_to_no_tenant_where_there_is_no_account(federation: Federation) -> None:
    client = federation.client
    other, former = register(client), register(client)
    path, body = {"tenantId": former.id}, {"email": "dora@example.com", "name": "Dora", "role": "member"}
    made = client.call("accounts_create", path=path, body=body, as_=former.admin).json["data"]
    account = {**path, "accountId": made["id"]}
    assert client.call("accounts_update", path=account, body={"status": "disabled"}, as_=former.admin).status == 200
    for tenant_id in (other.id, former.id, str(uuid4())):
        answer = federation.log_in("dora", tenant_id)
        assert (answer.status, answer.json["error"]["details"]["code"]) == (403, "account_disabled")


@pytest.mark.parametrize("is_linked", [False, True], ids=["before the first login", "after it"])
def test_a_tenant_that_disables_its_account_keeps_nobody_out(federation: Federation, is_linked: bool) -> None:
    """Make an account for Dora's address and disable it: she is led to the root workspace, as if there had been none."""
    client = federation.client
    mallory = register(client)
    path, body = {"tenantId": mallory.id}, {"email": "dora@example.com", "name": "Dora", "role": "member"}
    made = client.call("accounts_create", path=path, body=body, as_=mallory.admin).json["data"]
    if is_linked:
        dora = _log_in(federation, "dora", mallory.id)
        assert client.call("tenants_get_own", as_=dora).json["data"]["id"] == mallory.id
    account = {**path, "accountId": made["id"]}
    assert client.call("accounts_update", path=account, body={"status": "disabled"}, as_=mallory.admin).status == 200
    federation.put(default_role="viewer")
    dora = _log_in(federation, "dora")
    assert client.call("tenants_get_own", as_=dora).json["data"]["id"] == str(ROOT_TENANT_ID)
    me = client.call("tokens_get_me", as_=dora).json
    assert (me["user_id"], me["groups"]) == (made["userId"], ["viewer"])
    federation.put(default_role="admin")
    assert client.call("tokens_get_me", as_=_log_in(federation, "dora")).json["groups"] == ["viewer"]


def test_a_disabled_account_of_the_root_workspace_stays_out(federation: Federation) -> None:
    client, ben = federation.client, federation.people.ben
    path = {"tenantId": str(ROOT_TENANT_ID)}
    rows = client.call("accounts_list", path=path, as_=federation.people.ada).json["data"]
    account = {**path, "accountId": next(row["id"] for row in rows if row["userId"] == ben.user_id)}
    off = {"status": "disabled"}
    assert client.call("accounts_update", path=account, body=off, as_=federation.people.ada).status == 200
    answer = federation.log_in("ben")
    assert (answer.status, answer.json["error"]["details"]["code"]) == (403, "account_disabled")
