"""Profiles and assignments that change at the same time: one comes after the other, and is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from uuid import UUID

import pytest

from core.kernel.problems import NotFound, Problem
from core.kernel.settings import Settings
from core.limits import assignments, operations, profiles
from core.limits.assignments import InvalidAssignment
from core.limits.profiles import ProfileAssigned
from core.limits.rules import Rules
from models.database import write
from models.tables.limits import RateProfileRow
from server.runtime import Runtime

_HEAD_START_SECONDS = 0.3


@pytest.fixture
def profile(database: Settings, runtime: Runtime) -> RateProfileRow:
    figures = profiles.Figures(burst=5, window_seconds=60)
    new = profiles.NewProfile(name="mine", algorithm="gcra", bucket_key="user", figures=figures, description=None)
    return profiles.do_create_profile(new)


def _assign(profile_id: UUID) -> None:
    assignments.do_assign(profile_id, "GET", "*")


def _update(profile_id: UUID) -> None:
    profiles.do_update_profile(profile_id, profiles.Figures(burst=6, window_seconds=60), description=None)


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        (profiles.do_delete_profile, _update, NotFound),
        (_assign, profiles.do_delete_profile, ProfileAssigned),
        (profiles.do_delete_profile, _assign, InvalidAssignment),
    ],
)
def test_a_profile_is_neither_assigned_nor_changed_beside_its_deletion(
    profile: RateProfileRow, first: Callable[[UUID], None], second: Callable[[UUID], None], refusal: type[Problem]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with write():
            first(profile.id)
            later = pool.submit(second, profile.id)
            wait([later], timeout=_HEAD_START_SECONDS)
        with pytest.raises(refusal):
            later.result()


def test_an_assignment_of_a_profile_that_is_not_read_yet_waits_for_the_next_look(profile: RateProfileRow) -> None:
    _assign(profile.id)
    rules = Rules(operations.all_operations())
    default = next(row for row in profiles.list_profiles() if row.name == "default")
    known = {name: default for name in {row.rate_profile for row in operations.all_operations()} if name}
    compiled = dict(rules._compiled(known, assignments.list_assignments()))
    assert compiled["users_list"] is default
    assert rules.find("users_list").profile == "mine"
