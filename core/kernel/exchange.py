"""What the server and the product hand each other through the ports of a request: credentials in, decisions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from core.kernel.problems import Problem


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials that a request carries, by scheme name of the contract; empty when it carries none.

    is_unsafe: the method changes state, so a cookie caller must prove intent (CSRF).
    resources: the parameters of the path, by name, which a holder may have narrowed a token to.
    is_local: a program of this machine asks; no other machine, and no web page of another site.
    error_style: the operation's surface; on some the dev profile lets callers in who send no credential.
    """

    values: Mapping[str, str]
    is_unsafe: bool
    error_style: str
    client_address: str
    operation_id: str = ""
    resources: Mapping[str, str] = {}
    is_local: bool = False


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The stored first answer of an idempotent request; channel names the durable stream of a streamed one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    channel: str | None = None


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit trail is told of one request.

    code: the refusal's, None for a success. user_id, tenant_id: None where nobody is known. objects: what the request
    named: ids as they are, anything else, which may be secret, as a digest.
    """

    operation_id: str
    status: int
    code: str | None
    user_id: UUID | None
    tenant_id: UUID | None
    credential_kind: str
    credential_id: str
    client_address: str
    request_id: str
    objects: Mapping[str, str]


Algorithm = Literal["gcra", "token_bucket", "fixed_window"]


class RateProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limit` requests in `window_seconds`: at once and then one by one as they come back, or by the whole window."""

    limit: Annotated[int, msgspec.Meta(ge=1)]
    window_seconds: Annotated[float, msgspec.Meta(gt=0)]


UNLIMITED = 2**53 - 1
"""A quota that is never used up; still a number that every JSON reader holds exactly."""


class UsagePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant of the plan may use: requests of a day (UTC), requests and LLM tokens of a billing month."""

    requests_per_day: Annotated[int, msgspec.Meta(ge=1, le=UNLIMITED)] = UNLIMITED
    requests_per_month: Annotated[int, msgspec.Meta(ge=1, le=UNLIMITED)] = UNLIMITED
    tokens_per_month: Annotated[int, msgspec.Meta(ge=1, le=UNLIMITED)] = UNLIMITED


class RateStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller stands with a rate profile, behind this request; reset_seconds: until all of it is back."""

    profile: str
    limit: int
    remaining: int
    reset_seconds: int


class UsageStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a tenant's quota in its present period, and the percentage that is used, 0 to 100."""

    requests_remaining: int
    requests_percent: int
    tokens_remaining: int
    tokens_percent: int


class RateDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What the limiter says of one request; refusal: what to answer instead of doing it, or None when it is admitted."""

    rate: RateStanding | None = None
    usage: UsageStanding | None = None
    refusal: Problem | None = None
