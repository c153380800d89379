"""Accounts of a tenant."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from core.identity import accounts
from core.kernel.call import Call, Reply
from models.contract import identity
from models.contract.parameters.identity import (
    AccountsCreateParameters,
    AccountsGetParameters,
    AccountsListParameters,
    AccountsUpdateParameters,
)


def accounts_list(call: Call[AccountsListParameters, None]) -> identity.AccountListAnswer:
    """List the tenant's accounts."""
    page = call.parameters
    found = accounts.list_accounts(call.principal, page.tenant_id, limit=page.limit, offset=page.offset)
    return identity.AccountListAnswer(success=True, data=[_account(account) for account in found])


def accounts_create(
    call: Call[AccountsCreateParameters, identity.AccountCreate],
) -> Reply[identity.AccountAnswer, Literal[201]]:
    """Make an account."""
    body, tenant_id = call.body, call.parameters.tenant_id
    account = accounts.do_create_account(call.principal, tenant_id, email=body.email, name=body.name, role=body.role)
    headers = {"Location": f"/api/v1/tenants/{tenant_id}/accounts/{account.membership.id}"}
    return Reply(_answer(account), 201, headers=headers)


def accounts_get(call: Call[AccountsGetParameters, None]) -> identity.AccountAnswer:
    """Get an account."""
    return _answer(accounts.get_account(call.principal, call.parameters.tenant_id, call.parameters.account_id))


def accounts_update(call: Call[AccountsUpdateParameters, identity.AccountUpdate]) -> identity.AccountAnswer:
    """Change an account."""
    body = call.body
    changes = accounts.Changes(
        name=None if body.name is UNSET else body.name,
        role=None if body.role is UNSET else body.role,
        is_active=None if body.status is UNSET else body.status == "active",
    )
    path = call.parameters
    return _answer(accounts.do_update_account(call.principal, path.tenant_id, path.account_id, changes))


def _answer(account: accounts.Account) -> identity.AccountAnswer:
    return identity.AccountAnswer(success=True, data=_account(account))


def _account(account: accounts.Account) -> identity.Account:
    membership = account.membership
    return identity.Account(
        id=membership.id,
        tenant_id=membership.tenant_id,
        user_id=membership.user_id,
        email=account.email,
        name=membership.name,
        role=account.role,
        status="active" if membership.is_active else "disabled",
        created_at=membership.created_at,
    )
