"""What the contract promises each caller: derived from `security`, the roles, and one table of exceptions with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.kernel.operation import Operation
from tests.client import UNSAFE_METHODS
from tests.isolation.callers import Caller

Object = Literal["own", "foreign", "missing"]
ELEVATED = {"git:push", "settings:write"}
BEYOND_TENANTS = {"iam:admin", "tenant:create", "settings:read"}


@dataclass(frozen=True)
class Exemption:
    """A cell that the general rule does not give. caller, operation: "*" for any; status: what is answered instead.

    served: the operation answers as to its own object.
    """

    operation: str
    caller: str
    object: Object
    reason: str
    status: int = 0
    served: bool = False


EXEMPTIONS: tuple[Exemption, ...] = (
    Exemption(
        "completions_create", "key without the scope", "own", "page 000: a key needs model:{id} of the model", 403
    ),
    Exemption("setup_create", "*", "own", "the door is closed behind the first administrator (page 001: 400)", 400),
    Exemption("setup_bootstrap", "*", "own", "the door is closed behind the first administrator (409)", 409),
    *(
        Exemption(f"oauth_{step}_{door}", "*", "own", "no credentials are configured", 501)
        for step in ("start", "callback")
        for door in ("github", "apple")
    ),
    *(Exemption(f"oauth_exchange_{door}", "*", "own", "of the dev profile alone", 404) for door in ("github", "apple")),
    Exemption("oauth_receive_apple", "*", "own", "leads on to the GET of its path", 303),
    Exemption("federation_start", "*", "own", "leads to the provider", 302),
    Exemption("federation_callback", "*", "own", "no login was begun", 400),
    *(
        Exemption(
            name, caller, "foreign", "providers are of the installation, not of a tenant", status, served=not status
        )
        for name, caller, status in (
            ("federation_start", "*", 302),
            ("federation_callback", "*", 400),
            ("federation_get", "superadmin", 0),
            ("federation_delete", "superadmin", 0),
        )
    ),
    Exemption("well_known_get", "*", "own", "no entry is configured", 404),
    *(
        Exemption(
            name, "superadmin", "foreign", "iam:admin is system-wide: users of every tenant are its own", served=True
        )
        for name in ("users_list", "users_get", "users_update", "users_delete", "users_assign_role")
    ),
    *(
        Exemption(name, "superadmin", "foreign", "roles belong to the installation, not to a tenant", served=True)
        for name in ("roles_list", "roles_delete", "roles_update_scopes")
    ),
    *(
        Exemption(name, "superadmin", "foreign", "limits are system-wide, and so is who administers them", served=True)
        for name in ("rate_profiles_update", "rate_profiles_delete", "rate_assignments_delete")
    ),
    Exemption(
        "users_remove_role", "superadmin", "foreign", "the role was given in another tenant: none to take here", 404
    ),
)


EVERY_TENANT = Exemption("*", "superadmin", "foreign", "iam:admin is system-wide and opens every tenant", served=True)


def refusal(operation: Operation, caller: Caller) -> int | None:
    """Return the status with which the caller is turned away whatever is asked for, or None.

    A public operation looks at no credential. Else, in this order: two credentials 400, none or a dead one 401, a
    disabled user 423, a cookie's unsafe request without its CSRF token 403, a kind that is not accepted 401, a missing
    scope 403.
    """
    if not operation.security:
        return None
    is_unsafe = operation.method.upper() in UNSAFE_METHODS
    if (status := _dead(caller, is_unsafe)) is not None:
        return status
    shown = caller.schemes if is_unsafe else caller.schemes | {"csrf"}
    rows = [row for row in operation.security if set(row.schemes) <= shown]
    if not rows:
        return 401
    return None if any(all(holds(caller, scope) for scope in row.scopes) for row in rows) else 403


def _dead(caller: Caller, is_unsafe: bool) -> int | None:
    """Return the status of a credential that counts nowhere."""
    if {"bearer", "session"} <= caller.schemes:
        return 400
    if not caller.schemes or caller.state == "revoked":
        return 401
    if caller.state == "disabled":
        return 423
    return 403 if is_unsafe and "session" in caller.schemes and "csrf" not in caller.schemes else None


def holds(caller: Caller, scope: str) -> bool:
    """Say whether the caller's credential has a scope."""
    return (caller.holds is None or scope in caller.holds) and role_holds(caller.role, scope)


def role_holds(role: str, scope: str) -> bool:
    """Say what a built-in role holds: superadmin all but the elevated, admin its tenant, member no keys, viewer reads."""
    resource, _, action = scope.partition(":")
    if scope in ELEVATED or role == "superadmin":
        return scope not in ELEVATED
    if scope in BEYOND_TENANTS or (resource == "apikey" and role != "admin"):
        return False
    return role in {"admin", "member"} or action == "read"


def exemption(operation: Operation, caller: Caller, what: Object) -> Exemption | None:
    """Return the exemption that governs a cell, or None."""
    if what == "foreign" and caller.role == "superadmin" and "{tenantId}" in operation.path:
        return EVERY_TENANT
    for row in EXEMPTIONS:
        if row.operation == operation.id and row.caller in {"*", caller.name} and row.object == what:
            return row
    return None
