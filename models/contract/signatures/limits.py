# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from typing import Literal, Protocol

from core.kernel.call import Call, Reply
from models.contract import limits
from models.contract.parameters import limits as limits_parameters


class RateAssignmentsCreate(Protocol):
    """POST /api/admin/limits/assignments (spec/paths/limits/rate_assignments.yaml:42)."""

    def __call__(self, call: Call[None, limits.RateAssignmentCreate], /) -> limits.RateAssignment | Reply[limits.RateAssignment, Literal[201]]: ...


class RateAssignmentsDelete(Protocol):
    """DELETE /api/admin/limits/assignments/{id} (spec/paths/limits/rate_assignments.yaml:101)."""

    def __call__(self, call: Call[limits_parameters.RateAssignmentsDeleteParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class RateAssignmentsList(Protocol):
    """GET /api/admin/limits/assignments (spec/paths/limits/rate_assignments.yaml:3)."""

    def __call__(self, call: Call[limits_parameters.RateAssignmentsListParameters, None], /) -> limits.RateAssignments | Reply[limits.RateAssignments, Literal[200]]: ...


class RateProfilesCreate(Protocol):
    """POST /api/admin/limits/profiles (spec/paths/limits/rate_profiles.yaml:42)."""

    def __call__(self, call: Call[None, limits.RateProfileCreate], /) -> limits.RateProfile | Reply[limits.RateProfile, Literal[201]]: ...


class RateProfilesDelete(Protocol):
    """DELETE /api/admin/limits/profiles/{id} (spec/paths/limits/rate_profiles.yaml:147)."""

    def __call__(self, call: Call[limits_parameters.RateProfilesDeleteParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class RateProfilesList(Protocol):
    """GET /api/admin/limits/profiles (spec/paths/limits/rate_profiles.yaml:3)."""

    def __call__(self, call: Call[limits_parameters.RateProfilesListParameters, None], /) -> limits.RateProfiles | Reply[limits.RateProfiles, Literal[200]]: ...


class RateProfilesUpdate(Protocol):
    """PUT /api/admin/limits/profiles/{id} (spec/paths/limits/rate_profiles.yaml:103)."""

    def __call__(self, call: Call[limits_parameters.RateProfilesUpdateParameters, limits.RateProfileUpdate], /) -> limits.RateProfile | Reply[limits.RateProfile, Literal[200]]: ...


class UsageGet(Protocol):
    """GET /api/v1/usage (spec/paths/limits/usage.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> limits.UsageAnswer | Reply[limits.UsageAnswer, Literal[200]]: ...
