"""The one place where words of a contract become Python names."""

from __future__ import annotations

import keyword
import re

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")
_RESERVED = frozenset(keyword.kwlist) | {"self"}


def words(text: str) -> list[str]:
    """Split at separators and camel humps: `replyToID` is reply, To, ID."""
    return _WORD.findall(text)


def camel(text: str) -> str:
    """Return a class name: `threads_get_tree` is ThreadsGetTree; a name that already is one stays as it is."""
    if text.isidentifier() and text[0].isupper() and "_" not in text:
        return text
    name = "".join(word[0].upper() + word[1:] for word in words(text)) or "Schema"
    return f"N{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


def snake(text: str) -> str:
    """Return an attribute name: `Last-Event-ID` is last_event_id, `from` is from_."""
    name = "_".join(word.lower() for word in words(text)) or "value"
    if name[0].isdigit():
        name = f"n_{name}"
    return f"{name}_" if name in _RESERVED else name
