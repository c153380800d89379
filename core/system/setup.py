"""The set-up: two doors, one guarded row, exactly one first administrator."""

from __future__ import annotations

import hmac

from core.identity import access, users
from core.identity.passwords import hash_password
from core.kernel import clock, settings
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.problems import BadRequest, Conflict, Forbidden
from models.database import read, write
from models.tables.identity import User, UserRole
from models.tables.system import SetupGuard

_ROW_ID = 1


class AlreadySetUp(Conflict):
    code, title = "already_set_up", "The first administrator exists"


class SetupRepeated(BadRequest):
    """The conversation surface's word for AlreadySetUp: page 001 says 400."""

    code, title = "already_set_up", "The first administrator exists"


class SetupTokenWrong(Forbidden):
    code, title = "setup_token_wrong", "X-Setup-Token is missing or wrong"


def is_set_up() -> bool:
    """Say whether the first administrator exists."""
    with read():
        return SetupGuard.get_by_id(_ROW_ID).closed_at is not None


def check_token(setup_token: str | None) -> None:
    """Ask for the operator's token unless the server only serves its own machine in the dev profile.

    Raises:
        SetupTokenWrong: see the class.
    """
    configured = settings.current()
    if not (configured.is_dev and configured.is_loopback) and not _is_token(setup_token, configured.setup_token):
        raise SetupTokenWrong


def prepare_set_up(setup_token: str | None, password: str) -> str | None:
    """Hash the first administrator's password; None when the doors are closed, which spares the work.

    Raises:
        SetupTokenWrong, Invalid, Unavailable: see `check_token` and `hash_password`.
    """
    check_token(setup_token)
    return None if is_set_up() else hash_password(password)


def do_set_up(new: users.NewUser) -> User:
    """Make the first administrator: superadmin and member of the root workspace.

    Raises:
        AlreadySetUp: someone else was first.
        UserExists: see the class.
    """
    with write():
        guard = SetupGuard.update(closed_at=clock.now())
        if not guard.where(SetupGuard.id == _ROW_ID, SetupGuard.closed_at.is_null()).execute():
            raise AlreadySetUp
        user = users.do_create_user(new, ROOT_TENANT_ID)
        UserRole.create(user=user, tenant=ROOT_TENANT_ID, role=access.SUPERADMIN_ROLE_ID)
    return user


def _is_token(given: str | None, configured: str | None) -> bool:
    """Compare in constant time; without a configured token no token is right."""
    return bool(configured) and hmac.compare_digest((given or "").encode(), (configured or "").encode())
