"""Entries under /.well-known, as the operator wrote them into the settings."""

from __future__ import annotations

import json

import msgspec

from core.kernel import settings
from core.kernel.problems import NotFound


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
    if content is None:
        raise NotFound("No such entry.")
    return WellKnownEntry(content=content, is_json=_is_json_object(content))


def _is_json_object(content: str) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False
