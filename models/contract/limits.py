# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

RateAlgorithm: TypeAlias = Literal["gcra", "token_bucket", "fixed_window"]


RateKey: TypeAlias = Literal["user", "tenant", "address"]


RateMethod: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "*"]


class RateParams(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The burst and the time in which it comes back, as a time and as a rate."""

    requests_per_second: float
    burst: int
    window_seconds: float


class RateParamsCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """requests_per_second, with a burst (else what one second brings), or window_seconds with the burst that it brings."""

    requests_per_second: float | UnsetType = UNSET
    burst: int | UnsetType = UNSET
    window_seconds: float | UnsetType = UNSET


RateProfileDescription: TypeAlias = str


RateProfileName: TypeAlias = str


class RateProfileUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    params: RateParamsCreate
    description: RateProfileDescription | UnsetType = UNSET


UsageCount: TypeAlias = int


class UsageDaily(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    used: UsageCount
    limit: UsageCount
    reset_at: datetime = field(name="resetAt")


class UsageMeter(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """percentUsed is rounded down; remaining is 0 where more was used than the limit."""

    used: UsageCount
    limit: UsageCount
    remaining: UsageCount
    percent_used: int = field(name="percentUsed")


class UsageRate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    limit: UsageCount
    used: UsageCount
    remaining: UsageCount
    reset_at: datetime = field(name="resetAt")


class RateAssignment(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    profile_id: UUID
    profile_name: str
    method: RateMethod
    path_pattern: str
    created_at: datetime
    updated_at: datetime


class RateAssignmentCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    profile_id: UUID
    method: RateMethod
    path: str


RateAssignments: TypeAlias = list[RateAssignment]


class RateProfile(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: RateProfileName
    algorithm: RateAlgorithm
    key: RateKey
    params: RateParams
    created_at: datetime
    updated_at: datetime
    description: RateProfileDescription | UnsetType = UNSET


class RateProfileCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: RateProfileName
    params: RateParamsCreate
    algorithm: Literal["gcra", "token_bucket", "fixed_window"] = "gcra"
    key: Literal["user", "tenant", "address"] = "user"
    description: RateProfileDescription | UnsetType = UNSET


RateProfiles: TypeAlias = list[RateProfile]


class Usage(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    plan: str
    requests: UsageMeter
    tokens: UsageMeter
    rate_limit: UsageRate = field(name="rateLimit")
    daily: UsageDaily
    period_start: datetime = field(name="periodStart")
    reset_at: datetime = field(name="resetAt")


class UsageAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: Usage
