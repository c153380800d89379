# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class RateAssignmentsDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of rate_assignments_delete."""

    id: UUID


class RateAssignmentsListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of rate_assignments_list."""

    limit: int = 100
    offset: int = 0


class RateProfilesDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of rate_profiles_delete."""

    id: UUID


class RateProfilesListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of rate_profiles_list."""

    limit: int = 100
    offset: int = 0


class RateProfilesUpdateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of rate_profiles_update."""

    id: UUID
