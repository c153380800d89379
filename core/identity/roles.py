"""Roles: named sets of scopes that system-wide administrators make; what narrows one reaches its holders at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import msgspec
import peewee

from core.kernel import clock
from core.kernel.ids import new_uuid
from core.kernel.problems import Conflict, NotFound
from core.system import epoch
from models.database import OTHERS_MAY_REFER, database, locked, read, write
from models.tables.identity import Role, RoleScope

MAX_SCOPES = 1000


class RoleExists(Conflict):
    code, title = "role_exists", "A role of this name exists"


class RoleBuiltIn(Conflict):
    code, title = "role_built_in", "A built-in role is neither changed nor deleted"


class RoleFull(Conflict):
    code, title = "role_full", "A role holds at most 1000 scopes"


class NewRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role to be made."""

    name: str
    description: str | None = None
    scopes: Sequence[str] = ()


class ScopedRole(msgspec.Struct, frozen=True):
    """A role with its scopes in order."""

    role: Role
    scopes: list[str]


def list_roles(*, limit: int, offset: int) -> list[ScopedRole]:
    """Return roles in the order they were made."""
    with read():
        return _with_scopes(Role.select().order_by(Role.created_at, Role.id).limit(limit).offset(offset))


def do_create_role(new: NewRole) -> ScopedRole:
    """Make a role.

    Raises:
        RoleExists: the name is taken.
    """
    values = {"name": new.name, "description": new.description, "created_at": clock.now()}
    with write():
        role: Role = _store(lambda: Role.create(id=new_uuid(), **values))
        _add(role, new.scopes)
        return _with_scopes([role])[0]


def do_delete_role(role_id: UUID) -> None:
    """Delete a role with every grant of it.

    Raises:
        NotFound, RoleBuiltIn: there is none, or it is the system's.
    """
    with write():
        _hold(role_id).delete_instance()
        epoch.bump()


def do_replace_scopes(role_id: UUID, scopes: Sequence[str]) -> ScopedRole:
    """Put scopes in the place of those that the role has.

    Raises:
        NotFound, RoleBuiltIn: there is none, or it is the system's.
    """
    return _change(role_id, lambda role: _replace(role, scopes))


def do_change_scopes(role_id: UUID, *, add: Sequence[str], remove: Sequence[str]) -> ScopedRole:
    """Add scopes to a role, then remove some.

    Raises:
        NotFound, RoleBuiltIn: there is none, or it is the system's.
        RoleFull: see the class.
    """

    def change(role: Role) -> None:
        _add(role, add)
        RoleScope.delete().where(RoleScope.role == role, RoleScope.scope.in_(list(remove))).execute()

    return _change(role_id, change)


def _change(role_id: UUID, change: Callable[[Role], None]) -> ScopedRole:
    with write():
        role = _hold(role_id)
        change(role)
        if RoleScope.select().where(RoleScope.role == role).count() > MAX_SCOPES:
            raise RoleFull
        epoch.bump()
        return _with_scopes([role])[0]


def _replace(role: Role, scopes: Sequence[str]) -> None:
    RoleScope.delete().where(RoleScope.role == role).execute()
    _add(role, scopes)


def _add(role: Role, scopes: Sequence[str]) -> None:
    rows = [{"role": role, "scope": scope} for scope in scopes]
    if rows:
        RoleScope.insert_many(rows).on_conflict_ignore().execute()


def _hold(role_id: UUID) -> Role:
    """Return a role that may be changed, held to the end of the transaction, so that changes follow each other."""
    role: Role | None = locked(Role.select().where(Role.id == role_id), OTHERS_MAY_REFER).first()
    if role is None:
        raise NotFound("No such role.")
    if role.is_builtin:
        raise RoleBuiltIn
    return role


def _store(statement: Callable[[], Role]) -> Role:
    try:
        with database.atomic():
            return statement()
    except peewee.IntegrityError as error:
        raise RoleExists from error


def _with_scopes(roles: Iterable[Role]) -> list[ScopedRole]:
    listed = list(roles)
    found: dict[UUID, list[str]] = {role.id: [] for role in listed}
    rows = RoleScope.select().where(RoleScope.role.in_(list(found))).order_by(RoleScope.scope)
    for row in rows:
        found[row.role_id].append(row.scope)
    return [ScopedRole(role, sorted(found[role.id])) for role in listed]
