"""Media types: compared in lower case, without parameters, before anything else looks at a body."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.http import parse_options_header


@lru_cache(maxsize=256)
def parse(header: str) -> tuple[str, dict[str, str]]:
    """Split a Content-Type into (lower-case type, parameters by lower-case name)."""
    media_type, options = parse_options_header(header[:1024])
    return media_type.strip().lower(), {name.lower(): value for name, value in options.items()}


def is_json(content_type: str) -> bool:
    """Say whether a lower-case media type is JSON (RFC 6839, 3.1)."""
    return content_type == "application/json" or content_type.endswith("+json")
