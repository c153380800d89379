"""Accounts: memberships with a role, which nobody lifts above their own, and which end at once."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from tests.client import Answer, Client, Person
from tests.factories.api_keys import ROOT
from tests.factories.people import People, sign_in
from tests.factories.tenants import Tenancy, make_account, make_tenant_key, register


@pytest.fixture
def tenancy(client: Client, people: People) -> Tenancy:
    """Give a tenant beside the root workspace."""
    return register(client)


def _update(client: Client, tenancy: Tenancy, account_id: str, as_: Person, **changes: str) -> Answer:
    path = {"tenantId": tenancy.id, "accountId": account_id}
    return client.call("accounts_update", path=path, body=changes, as_=as_)


def _create(client: Client, tenancy: Tenancy, as_: Person, **body: str) -> Answer:
    sent = {"email": "new@example.org", "name": "New", **body}
    return client.call("accounts_create", path={"tenantId": tenancy.id}, body=sent, as_=as_)


def _admin_account(client: Client, tenancy: Tenancy) -> dict[str, str]:
    rows = client.call("accounts_list", path={"tenantId": tenancy.id}, as_=tenancy.admin).json["data"]
    return dict(next(row for row in rows if row["role"] == "admin"))


def test_account_of_a_new_address_makes_a_user_of_this_tenant_alone(
    client: Client, people: People, tenancy: Tenancy
) -> None:
    answer = _create(client, tenancy, tenancy.admin, email="New@Example.org")
    assert answer.status == 201
    account = answer.json["data"]
    path = {"tenantId": tenancy.id, "accountId": account["id"]}
    assert answer.headers["Location"] == f"/api/v1/tenants/{tenancy.id}/accounts/{account['id']}"
    assert client.call("accounts_get", path=path, as_=tenancy.admin).json["data"] == account
    assert (account["email"], account["role"], account["status"]) == ("new@example.org", "member", "active")
    user = client.call("users_get", path={"id": account["userId"]}, as_=people.ada).json
    assert (user["email"], user["roles"]) == ("new@example.org", [])
    assert _create(client, tenancy, tenancy.admin, email="new@example.org").status == 409


def test_account_of_a_known_address_tells_nothing_of_the_user(client: Client, people: People, tenancy: Tenancy) -> None:
    account = _create(client, tenancy, tenancy.admin, email=people.ben.email, name="Our Ben").json["data"]
    assert (account["userId"], account["name"]) == (people.ben.user_id, "Our Ben")
    assert client.call("users_get", path={"id": people.ben.user_id}, as_=people.ada).json["first_name"] == "Ben"
    unknown = _create(client, tenancy, tenancy.admin).json["data"]
    assert {UUID(row["userId"]).version for row in (account, unknown)} == {4}, "no id tells when its user was made"
    assert {name: type(value) for name, value in account.items()} == {name: type(unknown[name]) for name in unknown}


def test_accounts_are_listed_in_the_order_they_were_made(client: Client, people: People, tenancy: Tenancy) -> None:
    for number in range(3):
        _create(client, tenancy, tenancy.admin, email=f"n{number}@example.org", name=f"N{number}")
    path = {"tenantId": tenancy.id}
    rows = client.call("accounts_list", path=path, as_=tenancy.admin).json["data"]
    assert [row["name"] for row in rows] == [None, "N0", "N1", "N2"]
    page = client.call("accounts_list", path=path, query={"limit": 2, "offset": 1}, as_=tenancy.admin).json["data"]
    assert page == rows[1:3]
    assert client.call("accounts_list", path=path, query={"limit": 201}, as_=tenancy.admin).status == 400


def test_update_is_412_when_the_account_has_changed(client: Client, people: People, tenancy: Tenancy) -> None:
    account = make_account(client, tenancy, people.ada)
    path = {"tenantId": tenancy.id, "accountId": account.id}
    tag = client.call("accounts_get", path=path, as_=tenancy.admin).headers["ETag"]
    sent = {"path": path, "as_": tenancy.admin, "headers": {"If-Match": tag}}
    statuses = [client.call("accounts_update", body={"name": name}, **sent).status for name in ("X", "Y")]
    assert statuses == [200, 412]
    assert client.call("accounts_get", path=path, as_=tenancy.admin).json["data"]["name"] == "X"


def test_role_counts_from_the_next_request_on(client: Client, people: People, tenancy: Tenancy) -> None:
    account = make_account(client, tenancy, people.ada, role="admin")
    path = {"tenantId": tenancy.id}
    assert client.call("api_keys_list", path=path, as_=account.person).status == 200
    answer = _update(client, tenancy, account.id, tenancy.admin, role="viewer")
    assert (answer.status, answer.json["data"]["role"]) == (200, "viewer")
    assert client.call("api_keys_list", path=path, as_=account.person).status == 403
    assert _create(client, tenancy, account.person).status == 403
    assert client.call("accounts_list", path=path, as_=account.person).status == 200


def test_disabled_account_ends_every_credential_of_the_tenant_and_no_other(
    client: Client, people: People, tenancy: Tenancy
) -> None:
    account = make_account(client, tenancy, people.ada, role="admin")
    made = client.call("api_keys_create", path={"tenantId": tenancy.id}, body={"name": "k"}, as_=account.person)
    key = {"x-api-key": made.json["data"]["apiKey"]}
    callers = (account.person.by_token(), account.person.in_browser())
    assert [client.call("tenants_get_own", as_=caller).status for caller in callers] == [200, 200]
    assert client.call("tenants_get_own", headers=key).status == 200
    answer = _update(client, tenancy, account.id, tenancy.admin, status="disabled")
    assert answer.json["data"]["status"] == "disabled"
    assert [client.call("tenants_get_own", as_=caller).status for caller in callers] == [401, 401]
    assert client.call("tenants_get_own", headers=key).status == 401
    login = {"email": account.person.email, "password": account.person.password}
    assert client.call("sessions_login", body=login).status == 423
    assert client.call("tenants_get_own", as_=tenancy.admin).status == 200
    assert _update(client, tenancy, account.id, tenancy.admin, status="active").status == 200
    assert [client.call("tenants_get_own", as_=caller).status for caller in callers] == [401, 401]
    assert client.call("tenants_get_own", as_=sign_in(client, account.person)).status == 200


def test_member_lifts_no_one_above_a_member(client: Client, people: People, tenancy: Tenancy) -> None:
    member = make_account(client, tenancy, people.ada)
    viewer = make_account(client, tenancy, people.ada, role="viewer")
    assert _update(client, tenancy, member.id, member.person, role="admin").status == 403
    assert _update(client, tenancy, viewer.id, member.person, role="admin").status == 403
    refused = _create(client, tenancy, member.person, role="admin")
    assert (refused.status, refused.json["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert _update(client, tenancy, viewer.id, member.person, role="member").status == 200
    assert _create(client, tenancy, member.person).status == 201


def test_member_takes_nothing_from_an_admin(client: Client, people: People, tenancy: Tenancy) -> None:
    member, admin = make_account(client, tenancy, people.ada), _admin_account(client, tenancy)
    for changes in ({"role": "viewer"}, {"status": "disabled"}):
        assert _update(client, tenancy, admin["id"], member.person, **changes).status == 403
    assert client.call("api_keys_list", path={"tenantId": tenancy.id}, as_=tenancy.admin).status == 200


def test_key_gives_no_role_beyond_its_scopes(client: Client, people: People, tenancy: Tenancy) -> None:
    narrow = make_tenant_key(client, tenancy, "account:create", "account:update", "account:read").holder
    member = make_account(client, tenancy, people.ada)
    assert _create(client, tenancy, narrow, role="viewer").status == 403
    assert _update(client, tenancy, member.id, narrow, status="disabled").status == 403
    assert _update(client, tenancy, member.id, narrow, name="Named").status == 200


@pytest.mark.parametrize("changes", [{"role": "member"}, {"status": "disabled"}])
def test_last_active_admin_stays_but_for_a_system_wide_administrator(
    client: Client, people: People, tenancy: Tenancy, changes: dict[str, str]
) -> None:
    first = _admin_account(client, tenancy)
    answer = _update(client, tenancy, first["id"], tenancy.admin, **changes)
    assert (answer.status, answer.json["error"]["code"]) == (409, "CONFLICT")
    second = make_account(client, tenancy, people.ada, role="admin")
    assert _update(client, tenancy, second.id, tenancy.admin, status="disabled").status == 200
    assert _update(client, tenancy, first["id"], tenancy.admin, **changes).status == 409
    assert _update(client, tenancy, second.id, tenancy.admin, status="active").status == 200
    assert _update(client, tenancy, first["id"], tenancy.admin, **changes).status == 200
    assert _update(client, tenancy, second.id, people.ada, **changes).status == 200


def test_admin_of_the_root_workspace_takes_nothing_from_a_superadmin(client: Client, people: People) -> None:
    rows = client.call("accounts_list", path={"tenantId": ROOT}, as_=people.ada).json["data"]
    accounts = {row["userId"]: row["id"] for row in rows}
    root = Tenancy(ROOT, people.ada, "")
    assert _update(client, root, accounts[people.ben.user_id], people.ada, role="admin").status == 200
    ben = sign_in(client, people.ben)
    assert _update(client, root, accounts[people.ada.user_id], ben, status="disabled").status == 403
    assert _update(client, root, accounts[people.cyn.user_id], ben, role="viewer").status == 200


def test_last_superadmin_keeps_an_account_to_log_in_by(client: Client, people: People) -> None:
    rows = client.call("accounts_list", path={"tenantId": ROOT}, as_=people.ada).json["data"]
    account_id, root = (
        next(row["id"] for row in rows if row["userId"] == people.ada.user_id),
        Tenancy(ROOT, people.ada, ""),
    )
    refused = _update(client, root, account_id, people.ada, status="disabled")
    assert (refused.status, refused.json["error"]["code"]) == (409, "CONFLICT")
    assert client.call("users_list", as_=people.ada).status == 200
    client.call("tenants_create", body={"name": "Refuge", "email": people.ada.email}, as_=people.ada)
    assert _update(client, root, account_id, people.ada, status="disabled").status == 200
    ada = sign_in(client, people.ada)
    assert client.call("users_list", as_=ada).status == 200, "a system-wide role counts in every tenant"


def test_account_is_made_once_when_the_request_is_repeated(client: Client, people: People, tenancy: Tenancy) -> None:
    sent = {
        "path": {"tenantId": tenancy.id},
        "body": {"email": "new@example.org", "name": "New"},
        "as_": tenancy.admin,
        "headers": {"Idempotency-Key": "k"},
    }
    assert client.call("accounts_create", **sent).json == client.call("accounts_create", **sent).json


@pytest.mark.parametrize("body", [{}, {"role": "owner"}, {"status": "gone"}, {"name": ""}, {"email": "a@example.org"}])
def test_change_outside_the_contract_is_400(
    client: Client, people: People, tenancy: Tenancy, body: dict[str, str]
) -> None:
    assert _update(client, tenancy, _admin_account(client, tenancy)["id"], tenancy.admin, **body).status == 400


def test_missing_account_is_404_and_no_credential_401(client: Client, people: People, tenancy: Tenancy) -> None:
    path = {"tenantId": tenancy.id, "accountId": str(uuid4())}
    for operation, body in (("accounts_get", None), ("accounts_update", {"name": "X"})):
        assert client.call(operation, path=path, body=body, as_=tenancy.admin).status == 404
        assert client.call(operation, path=path, body=body).status == 401
    for operation, body in (("accounts_list", None), ("accounts_create", {"email": "a@example.org", "name": "X"})):
        assert client.call(operation, path={"tenantId": tenancy.id}, body=body).status == 401
