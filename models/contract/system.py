# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from . import identity


class Bootstrap(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: identity.Email
    password: identity.NewPassword
    phone_number: identity.PhoneNumber | UnsetType = UNSET
    first_name: identity.PersonName | UnsetType = UNSET
    last_name: identity.PersonName | UnsetType = UNSET


class Bootstrapped(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message: str
    user_id: UUID


class DependencyCheck(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    status: Literal["pass", "fail", "skipped"]
    latency_ms: float = field(name="latencyMs")
    error: str | UnsetType = UNSET


class DependencyChecks(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    database: DependencyCheck
    redis: DependencyCheck
    gemini: DependencyCheck


class DependencyReport(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    status: Literal["ready", "not_ready"]
    checks: DependencyChecks
    total_latency_ms: float = field(name="totalLatencyMs")
    timestamp: datetime


Document: TypeAlias = dict[str, Any]


Exposition: TypeAlias = str


class HealthReportMemory(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    heap_used: float = field(name="heapUsed")
    heap_total: float = field(name="heapTotal")


Html: TypeAlias = str


JsonEntry: TypeAlias = dict[str, Any]


class Liveness(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    status: Literal["ok"]


class Readiness(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    ready: bool


class Setup(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    username: identity.Username
    email: identity.Email
    password: identity.NewPassword


class SetupState(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    is_setup: bool


TextEntry: TypeAlias = str


class Unreadiness(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    ready: bool
    missing: list[Literal["database_connection_unavailable", "schema_behind", "readiness_check_failed"]]


YamlText: TypeAlias = str


class HealthReport(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    status: Literal["healthy", "degraded", "unhealthy"]
    version: str
    uptime: float
    memory: HealthReportMemory
