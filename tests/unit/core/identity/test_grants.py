"""Grants of a role that is deleted in the same instant: whichever comes last is told so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from uuid import UUID

import pytest

from core.identity import access, roles, users
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.problems import NotFound
from core.kernel.settings import Settings
from models.database import read, write
from tests.unit.core.world import make_administrator, make_member

_HEAD_START_SECONDS = 0.3


def _delete(user_id: UUID, role_id: UUID) -> None:
    roles.do_delete_role(role_id)


def _grant(user_id: UUID, role_id: UUID) -> None:
    users.do_assign_role(user_id, role_id, ROOT_TENANT_ID)


@pytest.mark.parametrize(("first", "second", "is_refused"), [(_delete, _grant, True), (_grant, _delete, False)])
def test_a_role_is_not_granted_beside_its_deletion(
    database: Settings, first: Callable[[UUID, UUID], None], second: Callable[[UUID, UUID], None], is_refused: bool
) -> None:
    make_administrator()
    user_id, role_id = make_member().id, roles.do_create_role(roles.NewRole(name="mine", scopes=["chat:read"])).role.id
    with ThreadPoolExecutor(1) as pool:
        with write():
            first(user_id, role_id)
            later = pool.submit(second, user_id, role_id)
            wait([later], timeout=_HEAD_START_SECONDS)
        with pytest.raises(NotFound) if is_refused else nullcontext():
            later.result()
    with read():
        assert [role.name for role in access.get_roles(user_id, ROOT_TENANT_ID)] == ["member"]
