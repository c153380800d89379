"""JSON text → plain data, refusing what JSON forbids or leaves undefined.

orjson refuses NaN, bad UTF-8, lone surrogates and 5,000-digit integers. It takes the last of duplicate keys: text that
orjson would write just so has none, and any other text is read again by a parser that looks. orjson writes at most 254
levels, which is therefore how deep a body may be nested.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson

from core.kernel.problems import MalformedBody


def loads(data: bytes) -> Any:
    """Read one JSON document.

    Raises:
        MalformedBody: it is not JSON, or an object repeats a key.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"The body is not JSON: {error.msg} at byte {error.pos}.") from error
    if not _is_canonical(value, data):
        _check_keys(data)
    return value


def _is_canonical(value: Any, data: bytes) -> bool:
    try:
        return orjson.dumps(value) == data
    except TypeError as error:
        raise MalformedBody("The body is nested deeper than 254 levels.") from error


def _check_keys(data: bytes) -> None:
    """Raise when an object repeats a key; `data` is known to be JSON."""
    if b":" in data:
        json.loads(data, object_pairs_hook=_unique, parse_int=str, parse_float=str)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        _refuse(pairs)


def _refuse(pairs: list[tuple[str, Any]]) -> NoReturn:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise MalformedBody(f"The body repeats the key {name[:100]!r}.")
        seen.add(name)
    raise AssertionError("no key is repeated")
