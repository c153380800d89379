"""Prove who someone is by a password: slow, alike for every failure, and done before any transaction."""

from __future__ import annotations

from uuid import UUID

import msgspec

from core.identity import access, throttling, users
from core.identity.passwords import verify_password
from core.identity.throttling import Origin
from core.kernel.problems import AccountDisabled, InvalidCredentials, NotFound
from models.database import read
from models.tables.identity import User


class Verified(msgspec.Struct, frozen=True):
    """Someone who knew the password that had this hash, or whom a provider confirmed while it was this (None: none).

    tenant_id: the tenant that was asked for; None where none was, which leads to the user's home.
    """

    user_id: UUID
    password_hash: str | None
    tenant_id: UUID | None = None


class Admitted(msgspec.Struct, frozen=True):
    """A verified user who may log in, and the tenant that the login leads to."""

    user: User
    tenant_id: UUID


def verify_login(name: str, password: str, origin: Origin) -> Verified:
    """Return the user of this e-mail address, user name or telephone number; an unknown user takes as long.

    Raises:
        InvalidCredentials: no such user, or a wrong password.
        LoginThrottled: too many wrong ones before.
        Unavailable: too many logins at once.
    """
    user = users.find_by_login(name)
    password_hash = user.password_hash if user else None
    try:
        with throttling.attempt(name, user, origin):
            matches = verify_password(password_hash, password)
            if user is None or password_hash is None or not matches:
                raise InvalidCredentials
    except NotFound as gone:
        raise InvalidCredentials from gone
    return Verified(user.id, password_hash)


def verify_caller(user_id: UUID, password: str, origin: Origin) -> Verified:
    """Verify the password of someone who is logged in, by the rules of a login.

    Raises:
        InvalidCredentials: a wrong password, or the user is gone.
        LoginThrottled: too many wrong ones before.
        Unavailable: too many logins at once.
    """
    with read():
        user = User.get_or_none(User.id == user_id)
    if user is None:
        raise InvalidCredentials
    return verify_login(user.email, password, origin)


def access_verified(verified: Verified) -> Admitted:
    """Look again inside the transaction: much may have changed while the password was hashed.

    The user's row is held to the end of it, so that no credential is made beside a change that ends them all.

    Raises:
        InvalidCredentials: the user is gone or the password was changed.
        AccountDisabled: the user is disabled, or has no active account in the tenant that was asked for, or in any.
    """
    try:
        user = users.hold_user(verified.user_id)
    except NotFound as gone:
        raise InvalidCredentials from gone
    if user.password_hash != verified.password_hash:
        raise InvalidCredentials
    tenant_id = verified.tenant_id
    if tenant_id is None:
        tenant_id = access.find_home_tenant(user.id)
    elif not access.is_member(user.id, tenant_id):
        tenant_id = None
    if tenant_id is None or not user.is_active:
        raise AccountDisabled
    return Admitted(user, tenant_id)
