"""The query string as pairs: names and values split before they are percent-decoded, and decoded exactly once."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from core.kernel.problems import BadRequest

PAIRS_MAX = 1000


def pairs(text: str) -> list[tuple[str, str]]:
    """Split a query into (decoded name, raw value).

    Raises:
        BadRequest: more than 1,000 pairs, or a name that is not UTF-8.
    """
    if not text:
        return []
    parts = text.split("&")
    if len(parts) > PAIRS_MAX:
        raise BadRequest(f"The query has more than {PAIRS_MAX} members.")
    found = []
    for part in parts:
        if part:
            name, _, value = part.partition("=")
            found.append((decode(name), value))
    return found


def decode(raw: str) -> str:
    """Percent-decode form text.

    Raises:
        BadRequest: it is not UTF-8.
    """
    text = raw.replace("+", " ") if "+" in raw else raw
    if "%" not in text and text.isascii():
        return text
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise BadRequest("The request holds text that is not UTF-8.") from error
