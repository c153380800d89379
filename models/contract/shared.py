# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

Problem: TypeAlias = dict[str, Any]


class Violation(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One broken clause of this contract."""

    pointer: str
    location: Literal["body", "path", "query", "header", "cookie", "response"]
    rule: str
    message: str
    source: str | None | UnsetType = UNSET


class WorkflowErrorErrorDetails(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    code: str
    errors: list[Violation] | UnsetType = UNSET


class ApiErrorError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    code: str
    message: str
    details: list[Violation] | UnsetType = UNSET


class OpenAIErrorError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message: str
    type: str
    param: str | None
    code: str | None
    errors: list[Violation] | UnsetType = UNSET


class WorkflowErrorError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message: str
    details: WorkflowErrorErrorDetails


class ApiError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    error: ApiErrorError


class OpenAIError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    error: OpenAIErrorError


class WorkflowError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    status_code: int
    data: None
    error: WorkflowErrorError
