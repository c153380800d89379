"""Who is calling: the one resolved caller behind every kind of credential."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

NIL_UUID = UUID(int=0)
ROOT_TENANT_ID = NIL_UUID
DEV_USER_ID = UUID("00000000-0000-4000-8000-0000000000de")
"""Whom the dev profile takes a caller without credential for; no user has this id."""

CredentialKind = Literal["anonymous", "session", "token", "api_key"]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller after verification.

    credential_id identifies the session row, token family ("family/block/…" where narrowed) or key ("key/secret").
    user_id is an API key's maker.
    scopes are exact names ("projects:read") or `resource:*`; `iam:admin` passes every check but the elevated ones.
    expires_at: when the credential is over unless it is renewed; None when never by itself.
    """

    kind: CredentialKind
    user_id: UUID
    tenant_id: UUID
    credential_id: str
    scopes: frozenset[str]
    expires_at: datetime | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"

    @property
    def key(self) -> str:
        """Name this caller in idempotency and rate-limit keys: a person, or one API key."""
        if self.kind == "api_key":
            return f"key:{self.credential_id.partition('/')[0]}"
        return f"user:{self.user_id.hex}"

    def holds(self, scope: str) -> bool:
        """Say whether this caller may act under `scope`."""
        return includes(self.scopes, scope)


def includes(held: frozenset[str], scope: str) -> bool:
    """Say whether `held` has `scope`: by name, by `resource:*`, or by `iam:admin`."""
    if scope in held:
        return True
    return scope not in ELEVATED_SCOPES and ("iam:admin" in held or f"{scope.partition(':')[0]}:*" in held)


ELEVATED_SCOPES = frozenset({"git:push", "settings:write"})
"""Only a token made by elevation holds these; `iam:admin` and `x:*` do not imply them."""

ANONYMOUS = Principal(kind="anonymous", user_id=NIL_UUID, tenant_id=NIL_UUID, credential_id="", scopes=frozenset())
