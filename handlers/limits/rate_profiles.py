"""Administration of rate profiles."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET

from core.kernel.call import Call, Reply
from core.limits import profiles
from models.contract import limits
from models.contract.parameters.limits import (
    RateProfilesDeleteParameters,
    RateProfilesListParameters,
    RateProfilesUpdateParameters,
)
from models.tables.limits import RateProfileRow


def rate_profiles_list(call: Call[RateProfilesListParameters, None]) -> list[limits.RateProfile]:
    """List the rate profiles."""
    first, size = call.parameters.offset, call.parameters.limit
    return [_profile(row) for row in profiles.list_profiles()[first : first + size]]


def rate_profiles_create(call: Call[None, limits.RateProfileCreate]) -> Reply[limits.RateProfile, Literal[201]]:
    """Make a rate profile."""
    body = call.body
    new = profiles.NewProfile(
        name=body.name,
        algorithm=body.algorithm,
        bucket_key=body.key,
        figures=_figures(body.params),
        description=None if body.description is UNSET else body.description,
    )
    return Reply(_profile(profiles.do_create_profile(new)), 201)


def rate_profiles_update(call: Call[RateProfilesUpdateParameters, limits.RateProfileUpdate]) -> limits.RateProfile:
    """Change the figures of a rate profile."""
    figures = _figures(call.body.params)
    return _profile(profiles.do_update_profile(call.parameters.id, figures, description=call.body.description))


def rate_profiles_delete(call: Call[RateProfilesDeleteParameters, None]) -> None:
    """Delete a rate profile."""
    profiles.do_delete_profile(call.parameters.id)


def _figures(params: limits.RateParamsCreate) -> profiles.Figures:
    return profiles.Figures(
        requests_per_second=None if params.requests_per_second is UNSET else params.requests_per_second,
        burst=None if params.burst is UNSET else params.burst,
        window_seconds=None if params.window_seconds is UNSET else params.window_seconds,
    )


def _profile(row: RateProfileRow) -> limits.RateProfile:
    algorithm: Any = row.algorithm
    key: Any = row.bucket_key
    return limits.RateProfile(
        id=row.id,
        name=row.name,
        algorithm=algorithm,
        key=key,
        params=limits.RateParams(
            requests_per_second=float(f"{row.burst * 1e6 / row.window_us:.6g}"),
            burst=row.burst,
            window_seconds=row.window_us / 1e6,
        ),
        description=UNSET if row.description is None else row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
