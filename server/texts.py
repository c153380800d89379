"""Parameter text → JSON value: strict, so that `1_000`, ` 5`, full-width digits and TRUE stay text and fail their schema."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from core.kernel.operation import Shape

Reader = Callable[[str], Any]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,399})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,399})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_BOOLEANS = {"true": True, "false": False}
_REFUSED = object()


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else _REFUSED


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text):
        return _REFUSED
    value = float(text)
    return value if math.isfinite(value) else _REFUSED


def _boolean(text: str) -> Any:
    return _BOOLEANS.get(text, _REFUSED)


def _null(text: str) -> Any:
    return None if text in {"", "null"} else _REFUSED


_READERS: dict[str, Reader] = {"integer": _integer, "number": _number, "boolean": _boolean, "null": _null}


def reader(shapes: Sequence[Shape]) -> Reader:
    """Return the function that turns text into the first shape it has the form of; text that has none stays text.

    Null comes first only where no string is allowed: "" and "null" are good strings.
    """
    if not shapes or shapes[0] == "string":
        return str
    attempts = [_READERS[shape] for shape in shapes if shape != "string"]
    if "string" in shapes and _null in attempts:
        attempts.remove(_null)

    if len(attempts) == 1:
        only = attempts[0]
        return lambda text: text if (value := only(text)) is _REFUSED else value

    def read(text: str) -> Any:
        for attempt in attempts:
            value = attempt(text)
            if value is not _REFUSED:
                return value
        return text

    return read
