"""Entries under /.well-known, as the operator wrote them into the settings, and the keys that verify bearer tokens."""

from __future__ import annotations

import json

import msgspec

from core.identity.keys import keyring
from core.kernel import settings
from core.kernel.problems import NotFound

TOKEN_KEYS = "biscuit-keys.json"
"""The entry with the public keys: a holder needs them to narrow a token, others to verify one."""


class WellKnownEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry; is_json: the content is a JSON object."""

    content: str
    is_json: bool


def get_entry(path: str) -> WellKnownEntry:
    """Return the entry of this name.

    Raises:
        NotFound: there is none.
    """
    content = settings.current().well_known_entries.get(path)
    if content is None and path == TOKEN_KEYS:
        content = _token_keys()
    if content is None:
        raise NotFound("No such entry.")
    return WellKnownEntry(content=content, is_json=_is_json_object(content))


def _token_keys() -> str:
    keys = [
        {"key_id": key_id, "algorithm": "Ed25519", "public_key": bytes(key.to_bytes()).hex()}
        for key_id, key in keyring().public.items()
    ]
    return json.dumps({"keys": keys})


def _is_json_object(content: str) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False
