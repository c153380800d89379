"""Samples of the limits area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from core.kernel.ids import new_uuid
from core.limits import assignments, profiles
from tests.isolation.sample import Sample
from tests.isolation.scene import Scene

PARAMS = {"requests_per_second": 1000, "burst": 100_000}


def _plain(_scene: Scene) -> Sample:
    return Sample()


def _profile(_scene: Scene) -> str:
    figures = profiles.Figures(requests_per_second=1000, burst=100_000)
    new = profiles.NewProfile(name=_name(), algorithm="gcra", bucket_key="user", figures=figures, description=None)
    return str(profiles.do_create_profile(new).id)


def _name() -> str:
    """Return a name that tells no side: profiles belong to no tenant."""
    return f"p{new_uuid().hex}"


def _assignment(s: Scene) -> Sample:
    row = assignments.do_assign(UUID(_profile(s)), "GET", f"/api/:{_name()}")
    return Sample(path={"id": str(row.id)})


def _assigning(s: Scene) -> Sample:
    body: dict[str, Any] = {"profile_id": _profile(s), "method": "GET", "path": "/api/setup"}
    return Sample(body=body)


SAMPLES: dict[str, Callable[[Scene], Sample]] = {
    "rate_profiles_list": _plain,
    "rate_profiles_create": lambda _: Sample(body={"name": _name(), "params": PARAMS}),
    "rate_profiles_update": lambda s: Sample(path={"id": _profile(s)}, body={"params": PARAMS}),
    "rate_profiles_delete": lambda s: Sample(path={"id": _profile(s)}),
    "rate_assignments_list": _plain,
    "rate_assignments_create": _assigning,
    "rate_assignments_delete": _assignment,
    "usage_get": _plain,
}
