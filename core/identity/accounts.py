"""Accounts: users' memberships of a tenant, each with a role; what narrows one takes effect at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

import msgspec
import peewee

from core.identity import access, scopes, users
from core.identity.access import TENANT_ROLES, access_tenant
from core.kernel import clock
from core.kernel.ids import new_uuid
from core.kernel.principal import Principal
from core.kernel.problems import Conflict, NotFound
from core.system import epoch
from models.database import OTHERS_MAY_REFER, database, locked, read, write
from models.tables.identity import Membership, Session, Tenant, TokenFamily, User, UserRole

RoleName = Literal["admin", "member", "viewer"]


class AccountExists(Conflict):
    code, title = "account_exists", "The user has an account in this tenant"


class LastAdmin(Conflict):
    code, title = "last_admin", "The last active admin of a tenant stays"


class Account(msgspec.Struct, frozen=True):
    """A membership with its user, and the most powerful of the built-in roles that the user has there."""

    membership: Membership
    role: RoleName | None

    @property
    def email(self) -> str:
        """Return the user's address; of who registered the tenant the one that was written then."""
        address: str = self.membership.user.registered_address or self.membership.user.email
        return address


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an account; None leaves it."""

    name: str | None = None
    role: RoleName | None = None
    is_active: bool | None = None


def list_accounts(principal: Principal, tenant_id: UUID, *, limit: int, offset: int) -> list[Account]:
    """Return a tenant's accounts in the order they were made.

    Raises:
        NotFound: see `access_tenant`.
    """
    access_tenant(principal, tenant_id)
    with read():
        rows = _of_tenant(tenant_id).order_by(Membership.created_at, Membership.id)
        return _with_roles(tenant_id, rows.limit(limit).offset(offset))


def get_account(principal: Principal, tenant_id: UUID, account_id: UUID) -> Account:
    """Return an account.

    Raises:
        NotFound: no such tenant or account.
    """
    access_tenant(principal, tenant_id)
    return _get(tenant_id, account_id)


def do_create_account(
    principal: Principal, tenant_id: UUID, *, email: str, name: str | None, role: RoleName
) -> Account:
    """Make the user of an e-mail address a member of the tenant; an unknown address makes a user without a password.

    Raises:
        NotFound: see `access_tenant`.
        ScopeExceedsCaller: the role has scopes that the caller does not hold.
        AccountExists: see the class.
        UserExists: another request has just made the user.
    """
    access_tenant(principal, tenant_id)
    with write():
        scopes.check_within(access.get_role_scopes(TENANT_ROLES[role]), principal.scopes)
        user = User.get_or_none(User.email == email.lower())
        if user is None:
            new = users.NewUser(email=email)
            user = users.do_create_user(new, tenant_id, role_id=TENANT_ROLES[role])
        else:
            _join(user, tenant_id, role)
        Membership.update(name=name).where(Membership.tenant == tenant_id, Membership.user == user).execute()
        membership = _of_tenant(tenant_id).where(Membership.user == user).get()
    return Account(membership, role)


def do_update_account(principal: Principal, tenant_id: UUID, account_id: UUID, changes: Changes) -> Account:
    """Change an account.

    Raises:
        NotFound: no such tenant or account.
        ScopeExceedsCaller: the account has or would get scopes that the caller does not hold.
        LastAdmin: see the class; `iam:admin` may.
        LastAdministrator: nobody could log in as superadmin any more.
    """
    access_tenant(principal, tenant_id)
    with write():
        # so that two admins cannot take each other's last
        locked(Tenant.select(Tenant.id).where(Tenant.id == tenant_id), OTHERS_MAY_REFER).get()
        account = _get(tenant_id, account_id)
        membership = account.membership
        if changes.name is not None:
            membership.name = changes.name
            membership.save(only=[Membership.name])
        if changes.role is not None or changes.is_active is not None:
            _check_may_change(principal, account, changes)
            _set_role(membership, changes.role)
            _set_active(membership, changes.is_active)
            epoch.bump()
        return _get(tenant_id, account_id)


def _check_may_change(principal: Principal, account: Account, changes: Changes) -> None:
    tenant_id, user_id = account.membership.tenant_id, account.membership.user_id
    scopes.check_within(access.get_scopes(user_id, tenant_id), principal.scopes)
    if changes.role is not None:
        scopes.check_within(access.get_role_scopes(TENANT_ROLES[changes.role]), principal.scopes)
    is_leaving = changes.is_active is False or changes.role in {"member", "viewer"}
    if is_leaving and not principal.holds(scopes.ADMIN) and _active_admins(tenant_id) == {user_id}:
        raise LastAdmin


def _active_admins(tenant_id: UUID) -> set[UUID]:
    admins = UserRole.select(UserRole.user).join(User).where(UserRole.tenant == tenant_id, User.is_active)
    admins = admins.where(UserRole.role == TENANT_ROLES["admin"])
    active = Membership.of_tenant(tenant_id).where(Membership.is_active, Membership.user.in_(admins))
    return {membership.user_id for membership in active}


def _set_role(membership: Membership, role: RoleName | None) -> None:
    """Put a role in the place of the built-in one; roles that an administrator made stay."""
    if role is None:
        return
    holder = {"user": membership.user_id, "tenant": membership.tenant_id}
    former = UserRole.delete().where(UserRole.user == holder["user"], UserRole.tenant == holder["tenant"])
    former.where(UserRole.role.in_(list(TENANT_ROLES.values()))).execute()
    UserRole.create(**holder, role=TENANT_ROLES[role])


def _set_active(membership: Membership, is_active: bool | None) -> None:
    if is_active is None:
        return
    users.hold_user(membership.user_id)  # no login of the user's goes on beside it
    membership.is_active = is_active
    membership.save(only=[Membership.is_active])
    if not is_active:
        _end_credentials(membership)
        if access.find_home_tenant(membership.user_id) is None:
            users.check_not_last(membership.user_id)


def _end_credentials(membership: Membership) -> None:
    """End the user's sessions and tokens in the tenant; a key is refused while its maker's account is disabled."""
    now = clock.now()
    for table, ended_at in ((Session, Session.ended_at), (TokenFamily, TokenFamily.revoked_at)):
        mine = (table.user == membership.user_id) & (table.tenant == membership.tenant_id)
        table.update({ended_at: now}).where(mine, ended_at.is_null()).execute()


def _join(user: User, tenant_id: UUID, role: RoleName) -> None:
    now = clock.now()
    try:
        with database.atomic():
            Membership.create(id=new_uuid(), tenant=tenant_id, user=user, created_at=now)
    except peewee.IntegrityError as error:
        raise AccountExists from error
    UserRole.insert(user=user, tenant=tenant_id, role=TENANT_ROLES[role]).on_conflict_ignore().execute()


def _of_tenant(tenant_id: UUID) -> Any:
    return Membership.select(Membership, User).join(User).where(Membership.tenant == tenant_id)


def _get(tenant_id: UUID, account_id: UUID) -> Account:
    with read():
        found = _with_roles(tenant_id, _of_tenant(tenant_id).where(Membership.id == account_id))
    if not found:
        raise NotFound("No such account.")
    return found[0]


def _with_roles(tenant_id: UUID, memberships: Iterable[Membership]) -> list[Account]:
    rows = list(memberships)
    grants = UserRole.select(UserRole.user, UserRole.role).where(UserRole.tenant == tenant_id)
    held = {(grant.user_id, grant.role_id) for grant in grants.where(UserRole.user.in_([row.user_id for row in rows]))}
    return [Account(row, _strongest(row.user_id, held)) for row in rows]


def _strongest(user_id: UUID, held: set[tuple[UUID, UUID]]) -> RoleName | None:
    names: tuple[RoleName, ...] = ("admin", "member", "viewer")
    return next((name for name in names if (user_id, TENANT_ROLES[name]) in held), None)
