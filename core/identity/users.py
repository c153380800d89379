"""People: made, changed, disabled, deleted, and given roles; what narrows a user takes effect at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec
import peewee

from core.identity import access
from core.kernel import clock
from core.kernel.ids import new_undated_uuid, new_uuid
from core.kernel.problems import Conflict, Forbidden, NotFound
from core.system import epoch
from models.database import OTHERS_MAY_REFER, database, locked, read, write
from models.tables.identity import Membership, Role, Session, TokenFamily, User, UserRole

_NOWHERE = "unproven.invalid"  # a domain that can never be (RFC 2606)
_departures: dict[Callable[[UUID], None], None] = {}


class UserExists(Conflict):
    code, title = "user_exists", "A user with this e-mail address, user name or telephone number exists"


class LastAdministrator(Conflict):
    code, title = "last_administrator", "The last active superadmin cannot be removed"


class RoleNotAssignable(Forbidden):
    code, title = "role_not_assignable", "Only the set-up makes a superadmin"


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to be made; password_hash None makes one that cannot log in with a password.

    email None: one whom no address leads to; registered_address is then what was written, which nothing proves.
    """

    email: str | None
    password_hash: str | None = None
    username: str | None = None
    phone_number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    is_active: bool = True
    registered_address: str | None = None


def find_by_login(name: str) -> User | None:
    """Return the user whose e-mail address, user name or telephone number this is."""
    lowered = name.lower()
    matches = (User.email == lowered) | (User.username == lowered) | (User.phone_number == name)
    with read():
        user: User | None = User.select().where(matches).first()
    return user


def get_user(user_id: UUID) -> User:
    """Return the user.

    Raises:
        NotFound: there is none.
    """
    with read():
        user = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFound("No such user.")
    return user


def list_users(*, limit: int, offset: int) -> list[User]:
    """Return users in the order they were made."""
    with read():
        return list(User.select().order_by(User.created_at, User.id).limit(limit).offset(offset))


def do_create_user(new: NewUser, tenant_id: UUID, *, role_id: UUID = access.MEMBER_ROLE_ID) -> User:
    """Make a user who belongs to the tenant.

    The id does not tell when: who is shown an account of one's own tenant would learn whether its user had been there before.

    Raises:
        UserExists: the e-mail address, user name or telephone number is taken.
    """
    now, user_id = clock.now(), new_undated_uuid()
    values = msgspec.structs.asdict(new) | {"id": user_id, "created_at": now}
    values["email"] = new.email.lower() if new.email else f"{user_id.hex}@{_NOWHERE}"
    values["username"] = new.username.lower() if new.username else None
    with write():
        user: User = _store(lambda: User.create(**values))
        Membership.create(tenant=tenant_id, user=user, created_at=now)
        UserRole.create(user=user, tenant=tenant_id, role=role_id)
    return user


def do_update_user(user_id: UUID, changes: Mapping[str, Any]) -> User:
    """Set columns of a user; a new password and disabling end every session and token of the user.

    API keys are their tenants': one is refused while its maker is disabled, and stays when the password changes.

    Raises:
        NotFound, UserExists, LastAdministrator: see the classes.
    """
    columns = dict(changes)
    if "email" in columns:
        columns |= {"email": columns["email"].lower(), "registered_address": None}
    is_disabling = columns.get("is_active") is False
    with write():
        hold_user(user_id)
        if is_disabling:
            check_not_last(user_id)
        _store(lambda: User.update(columns).where(User.id == user_id).execute())
        if is_disabling or "password_hash" in columns:
            revoke_credentials(user_id)
        return get_user(user_id)


def do_delete_user(user_id: UUID) -> None:
    """Delete a user with memberships, grants and credentials; what the user wrote stays, under an id that is no one's.

    Raises:
        NotFound, LastAdministrator: see the classes.
    """
    with write():
        hold_user(user_id)
        check_not_last(user_id)
        for depart in _departures:
            depart(user_id)
        User.delete().where(User.id == user_id).execute()
        epoch.bump()  # behind all conversations, as everywhere: others wait for it while they hold one


def on_departure(depart: Callable[[UUID], None]) -> None:
    """Have `depart(user_id)` called, inside the transaction, before a user is deleted; naming it again changes nothing."""
    _departures[depart] = None


def do_assign_role(user_id: UUID, role_id: UUID, tenant_id: UUID) -> None:
    """Give a user a role in the tenant; the user becomes a member of it.

    Raises:
        NotFound: no such user or role.
        RoleNotAssignable: it is a system-wide role.
    """
    with write():
        hold_user(user_id)
        if _get_role(role_id).is_system:
            raise RoleNotAssignable
        joined = {"id": new_uuid(), "tenant": tenant_id, "user": user_id, "created_at": clock.now()}
        Membership.insert(joined).on_conflict_ignore().execute()
        UserRole.insert(user=user_id, tenant=tenant_id, role=role_id).on_conflict_ignore().execute()
        epoch.bump()


def do_remove_role(user_id: UUID, role_id: UUID, tenant_id: UUID) -> None:
    """Take a role from a user in the tenant; a system-wide role goes from every tenant.

    Raises:
        NotFound: no such user or role, or the user does not hold it.
        LastAdministrator: see the class.
    """
    with write():
        hold_user(user_id)
        role = _get_role(role_id)
        if role.is_system:
            check_not_last(user_id)
        grants = UserRole.delete().where(UserRole.user == user_id, UserRole.role == role)
        if not role.is_system:
            grants = grants.where(UserRole.tenant == tenant_id)
        if not grants.execute():
            raise NotFound("The user does not hold this role.")
        epoch.bump()


def hold_user(user_id: UUID) -> User:
    """Return a user, held to the end of the transaction, so that concurrent changes of one user follow each other.

    SQLite has one writer anyway. Call it before rows that refer to the user are written: what only refers to the user
    may go on beside it.

    Raises:
        NotFound: there is none.
    """
    user: User | None = locked(User.select().where(User.id == user_id), OTHERS_MAY_REFER).first()
    if user is None:
        raise NotFound("No such user.")
    return user


def revoke_credentials(user_id: UUID) -> None:
    """End every session and token of a user, inside the caller's transaction."""
    now = clock.now()
    Session.update(ended_at=now).where(Session.user == user_id, Session.ended_at.is_null()).execute()
    TokenFamily.update(revoked_at=now).where(TokenFamily.user == user_id, TokenFamily.revoked_at.is_null()).execute()
    epoch.bump()


def _store(statement: Any) -> Any:
    try:
        with database.atomic():
            return statement()
    except peewee.IntegrityError as error:
        raise UserExists from error


def check_not_last(user_id: UUID) -> None:
    """Refuse to take the last administrator; the role's row is held, so that two cannot take each other's last.

    Raises:
        LastAdministrator: the user is the only active superadmin.
    """
    list(locked(Role.select(Role.id).where(Role.id == access.SUPERADMIN_ROLE_ID), OTHERS_MAY_REFER))
    if access.is_last_superadmin(user_id):
        raise LastAdministrator


def _get_role(role_id: UUID) -> Role:
    """Return a role that is not deleted before the end of the transaction."""
    role: Role | None = locked(Role.select().where(Role.id == role_id), "FOR KEY SHARE").first()
    if role is None:
        raise NotFound("No such role.")
    return role
