"""Values as text: the styles of parameters (OpenAPI 3.1, 4.8.12.6), and the fields of forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    from .wire import Parameter

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}
"""What percent-encoding does not tell from an item's own."""


def path_segment(parameter: Parameter, value: Any) -> str:
    """Return a path parameter, percent-encoded; what separates items is no part of them, and is not.

    Raises:
        ValueError: it is None, empty or all dots, or an item holds a comma.
    """
    segment = joined(parameter, value, _encoded)
    if value is None or segment in {"", ".", ".."}:
        raise ValueError(f"{parameter.argument} must name something; {value!r} would change the path")
    return segment


def joined(parameter: Parameter, value: Any, written: Callable[[str], str] = str) -> str:
    """Return a parameter as one text, as paths, headers and cookies carry it. written: what becomes of each word."""
    if parameter.is_json:
        return written(msgspec.json.encode(value).decode())
    if not isinstance(value, Mapping | list | tuple):
        return written(text(value))
    items = _flat(value) if isinstance(value, Mapping) else map(text, value)
    words = [written(item) for item in _apart(parameter.argument, items, ",")]
    if isinstance(value, Mapping) and parameter.explode:
        words = [f"{name}={item}" for name, item in zip(words[::2], words[1::2], strict=True)]
    return ",".join(words)


def pairs(parameter: Parameter, value: Any) -> list[str]:
    """Return a parameter as `name=value` of a query, percent-encoded; what separates items is no part of them, and is not."""
    name = parameter.name
    if parameter.is_json:
        return [pair(name, msgspec.json.encode(value).decode())]
    if isinstance(value, Mapping) and parameter.style == "deepObject":
        return _deep(name, value)
    if isinstance(value, Mapping) and parameter.explode:
        return [pair(str(member), item) for member, item in value.items()]
    if isinstance(value, list | tuple) and parameter.explode:
        return [pair(name, item) for item in value]
    items = _flat(value) if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else [value]
    if parameter.style in _SEPARATORS:
        items = _apart(parameter.argument, map(text, items), _SEPARATORS[parameter.style])
    separator = quote(_SEPARATORS[parameter.style]) if parameter.style in _SEPARATORS else ","
    return [f"{_encoded(name)}={separator.join(map(_encoded, items))}"]


def _apart(argument: str, items: Iterable[str], separator: str) -> list[str]:
    """Return items none of which holds what separates them: it would be read as two."""
    listed = list(items)
    for item in listed:
        if separator in item:
            raise ValueError(f"{argument}: {item!r} holds {separator!r}, which separates the items")
    return listed


def one_text(name: str, value: Any, separator: str | None) -> Any:
    """Return a list as one text; anything else, and a list without a separator, as it is."""
    if separator is None or not isinstance(value, list | tuple):
        return value
    return separator.join(_apart(name, map(text, value), separator))


def _flat(value: Mapping[str, Any]) -> list[str]:
    return [word for name, item in value.items() for word in (str(name), text(item))]


def _deep(name: str, value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [pair for member, item in value.items() for pair in _deep(f"{name}[{member}]", item)]
    return [pair(name, item) for item in value] if isinstance(value, list | tuple) else [pair(name, value)]


def pair(name: str, value: Any) -> str:
    """Return a scalar as `name=value` of a query, percent-encoded."""
    return f"{_encoded(name)}={_encoded(value)}"


def _encoded(value: Any) -> str:
    return quote(text(value), safe="")


def fields(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a form: a list has one for each item, an object is JSON."""
    listed = ((name, given if isinstance(given, list | tuple) else [given]) for name, given in value.items())
    return [(name, _field(item)) for name, items in listed for item in items]


def _field(item: Any) -> str:
    return msgspec.json.encode(item).decode() if isinstance(item, Mapping | list | tuple) else text(item)


def text(value: Any) -> str:
    """Return a scalar as JSON would write it, without quotes."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, datetime):
        return aware(value).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def aware(value: datetime) -> datetime:
    """Return a time.

    Raises:
        ValueError: it has no zone.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone: give one, as datetime.now(timezone.utc) does")
    return value
