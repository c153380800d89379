"""Validated JSON data → the generated type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from core.kernel.problems import InternalError
from server.schemas import load_type


def converter(type_name: str | None) -> Callable[[Any], Any]:
    """Return the function that types valid data; without a type, data stays as it is.

    Conversion is strict: lax conversion would turn the string "null" into None. JSON Schema accepts 1.0 as an integer,
    which strict conversion refuses, so on refusal whole floats become integers and it is tried once more; what is
    refused then is a bug of the generated types.
    """
    if type_name is None:
        return lambda data: data
    target = load_type(type_name)
    convert = msgspec.convert

    def typed(data: Any) -> Any:
        try:
            return convert(data, target)
        except msgspec.ValidationError:
            return _retried(data, target, type_name)

    return typed


def _retried(data: Any, target: Any, type_name: str) -> Any:
    try:
        return msgspec.convert(_whole(data), target)
    except msgspec.ValidationError as error:
        raise InternalError(cause=f"the schema accepts what {type_name} refuses: {error}") from error


def _whole(data: Any) -> Any:
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, list):
        return [_whole(item) for item in data]
    if isinstance(data, dict):
        return {name: _whole(value) for name, value in data.items()}
    return data
