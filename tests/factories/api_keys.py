"""API keys to test with, made as a caller makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from core.kernel.principal import ROOT_TENANT_ID
from tests.client import Client, Person

ROOT = str(ROOT_TENANT_ID)


@dataclass(frozen=True)
class Key:
    """A key and the caller who has nothing else."""

    id: str
    secret: str
    holder: Person


def make_key(
    client: Client,
    maker: Person,
    *,
    scopes: Sequence[str] | None = None,
    tenant_id: str | UUID = ROOT,
    expires_at: str | None = None,
) -> Key:
    """Make a key; without scopes it gets those of everyday work that the maker holds."""
    body = {"name": "a key", "expires_at": expires_at} | ({} if scopes is None else {"scopes": list(scopes)})
    answer = client.call("api_keys_create", path={"tenantId": tenant_id}, body=body, as_=maker)
    assert answer.status == 201, answer.text
    made = answer.json["data"]
    return Key(made["id"], made["apiKey"], with_key(maker, made["apiKey"]))


def with_key(person: Person, secret: str) -> Person:
    """Return the person with an API key alone."""
    return replace(person, token=None, session=None, csrf=None, api_key=secret)
