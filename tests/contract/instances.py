"""Requests made from the contract alone: valid by construction, at the edges, or broken in one place."""

from __future__ import annotations

import copy
import json
import random
import string
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import from_regex
from werkzeug.datastructures import Headers

from tests.oracle import Asked, Document, Operation, Oracle

_DEPTH = 4
_TEXT_MAX = 300
_POOL = 40
_ALPHABET = string.ascii_letters + string.digits + " _-.@:äß漢😀\t"
_JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 2.0, 0.5, 1e3, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 1e300, "", " ",
    "x", "0", "null", "true", "\n", "é" * 3, "😀", "a" * 5000, [], [1], ["x"], {}, {"x": 1},
)  # fmt: skip
_TEXT_JUNK = (
    "", " ", "0", "1", "-1", "-0", "01", "1.0", "1.5", "1e3", "abc", "null", "true", "True", "9223372036854775807",
    "9223372036854775808", "1" * 40, "a,b", "é", "😀", "%", "a b", "x" * 5000,
)  # fmt: skip


class Instances:
    """Draw requests of an operation; the same seed draws the same."""

    def __init__(self, oracle: Oracle, seed_: int) -> None:
        self._oracle = oracle
        self._random = random.Random(seed_)
        self._pools: dict[str, list[str]] = {}

    def request(self, operation: Operation) -> tuple[Asked, dict[str, str]]:
        """Draw a request and the text of its path parameters; about half are broken somewhere."""
        declared = [*operation.item.get("parameters", []), *operation.spec.get("parameters", [])]
        parameters = [self._oracle.resolve(parameter) for parameter in declared]
        body = self._oracle.resolve(operation.spec.get("requestBody", {}))
        spots = [*range(len(parameters)), *([-1] * 3 if body else [])]
        broken = self._random.choice(spots) if spots and self._random.random() < 0.5 else None
        path, query, headers = {}, [], Headers()
        for index, parameter in enumerate(parameters):
            text = self._text(parameter, is_broken=index == broken)
            if parameter["in"] == "path":
                path[parameter["name"]] = text or "x"
            elif text is not None and parameter["in"] == "query":
                query.append((parameter["name"], text))
            elif text is not None and parameter["in"] == "header":
                headers[parameter["name"]] = text
        content = self._body(body, headers, is_broken=broken == -1)
        target = operation.path
        for name, text in path.items():
            target = target.replace(f"{{{name}}}", quote(text, safe=""))
        target += f"?{urlencode(query)}" if query else ""
        return Asked(operation.method.upper(), target, headers, content), path

    def _text(self, parameter: Document, *, is_broken: bool) -> str | None:
        """Draw a parameter's text; None leaves it out."""
        is_header = parameter["in"] == "header"
        if is_broken:
            chosen = self._random.choice([None, *_TEXT_JUNK])
            fits = chosen is None or not is_header or (chosen.isascii() and chosen.strip() == chosen)
            return chosen if fits else "x"
        if not parameter.get("required") and self._random.random() < 0.5:
            return None
        value = self._value(parameter["schema"], 0)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return text.encode("ascii", "ignore").decode().strip() or "x" if is_header else text

    def _body(self, body: Document, headers: Headers, *, is_broken: bool) -> bytes:
        if not body or (not body.get("required") and self._random.random() < 0.2):
            return b""
        media_type, media = next(iter(body["content"].items()))
        headers["Content-Type"] = media_type
        value = self._value(media["schema"], 0)
        if is_broken:
            value = self._broken(value)
        if media_type == "application/x-www-form-urlencoded":
            members = value if isinstance(value, dict) else {"x": value}
            return urlencode({name: _form_text(member) for name, member in members.items()}).encode()
        return json.dumps(value).encode()

    def _value(self, schema: Document | bool, depth: int) -> Any:
        if isinstance(schema, bool):
            return self._random.choice(_JUNK)
        schema = self._oracle.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._value(self._random.choice(schema[keyword]), depth + 1)
        if "allOf" in schema:
            parts = [self._value(part, depth + 1) for part in schema["allOf"]]
            return {k: v for part in parts for k, v in part.items()} if isinstance(parts[0], dict) else parts[0]
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = self._random.choice(kinds) if isinstance(kinds, list) else kinds
        makers: dict[str, Callable[[Document, int], Any]] = {
            "object": self._object, "array": self._array, "string": self._string, "integer": self._integer,
            "number": self._number, "boolean": lambda *_: self._random.random() < 0.5, "null": lambda *_: None,
        }  # fmt: skip
        return makers[kind](schema, depth)

    def _object(self, schema: Document, depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        properties: Document = schema.get("properties", {})
        chance = 0.6 if depth < _DEPTH else 0.0
        value = {
            name: self._value(part, depth + 1)
            for name, part in properties.items()
            if name in required or self._random.random() < chance
        }
        if len(value) < schema.get("minProperties", 0):
            name = self._random.choice(sorted(properties))
            value[name] = self._value(properties[name], depth + 1)
        if schema.get("additionalProperties", True) is True and self._random.random() < 0.2:
            value["x_extra"] = self._random.choice(_JUNK)
        return value

    def _array(self, schema: Document, depth: int) -> list[Any]:
        low = schema.get("minItems", 0)
        high = min(schema.get("maxItems", low + 3), low + (3 if depth < _DEPTH else 0))
        items = schema.get("items", True)
        return [self._value(items, depth + 1) for _ in range(self._random.randint(low, max(low, high)))]

    def _integer(self, schema: Document, _depth: int) -> int:
        low, high = schema.get("minimum", -1000), schema.get("maximum", 1000)
        return int(self._random.choice([low, high, self._random.randint(low, high)]))

    def _number(self, schema: Document, _depth: int) -> float:
        low, high = schema.get("minimum", -1000.0), schema.get("maximum", 1000.0)
        return float(self._random.choice([low, high, self._random.uniform(low, high)]))

    def _string(self, schema: Document, _depth: int) -> str:
        low, high = schema.get("minLength", 0), min(schema.get("maxLength", _TEXT_MAX), _TEXT_MAX)
        if (made := self._formatted(schema.get("format", ""))) is not None:
            return made
        if "pattern" in schema:
            return self._random.choice(self._pool(schema["pattern"]))
        size = self._random.choice([low, high, self._random.randint(low, max(low, high))])
        return "".join(self._random.choice(_ALPHABET) for _ in range(size))

    def _formatted(self, name: str) -> str | None:
        number = self._random.randint(0, 10**6)
        made = {
            "uuid": str(uuid.UUID(int=self._random.getrandbits(128))),
            "email": f"user{number}@example.com",
            "date-time": f"2026-0{1 + number % 9}-1{number % 10}T10:00:0{number % 10}Z",
            "uri": f"https://example.com/{number}",
        }
        return made.get(name)

    def _pool(self, pattern: str) -> list[str]:
        """Return texts that match a pattern, drawn once."""
        if pattern not in self._pools:
            drawn: list[str] = []

            @seed(self._random.randint(0, 2**32))
            @settings(
                max_examples=_POOL, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(from_regex(pattern))
            def draw(text: str) -> None:
                drawn.append(text)

            draw()
            self._pools[pattern] = drawn
        return self._pools[pattern]

    def _broken(self, value: Any) -> Any:
        """Return a copy with one thing changed somewhere."""
        value = copy.deepcopy(value)
        places = list(_places(value))
        if not places:
            return self._random.choice(_JUNK)
        holder, key = self._random.choice(places)
        action = self._random.randrange(5)
        if action == 0 and isinstance(holder, dict):
            del holder[key]
        elif action == 1 and isinstance(holder, dict):
            holder[self._random.choice(["x", "", "id", key.upper(), key + "s"])] = self._random.choice(_JUNK)
        elif action == 2 and isinstance(holder, list):
            holder += holder[:1] * self._random.choice([1, 300])
        elif action == 3 and isinstance(holder[key], str):
            holder[key] = self._random.choice(
                [holder[key] + " ", holder[key][:-1], holder[key].upper(), holder[key] * 9]
            )
        else:
            holder[key] = self._random.choice(_JUNK)
        return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) below a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = [(value, key) for key in keys]
    for key in keys:
        found += _places(value[key])
    return found


def _form_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
