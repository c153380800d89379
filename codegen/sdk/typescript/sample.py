"""Writes a call as a program in TypeScript."""

from __future__ import annotations

import json
import re
from typing import Any

from codegen.sdk.shown import BASE_URL, Shown
from codegen.sdk.surface import PACKAGE
from codegen.sdk.typescript.methods import lower_camel, positional

_WIDTH = 88
_TAKEN = {"client", "process", "console", "delete", "new", "default", "package", "enum", "function", "class"}
_INDENT = "  "


def text(shown: Shown) -> str:
    """Return a program that makes the call."""
    call = _called(f"client.{lower_camel(shown.resource.name)}.{lower_camel(shown.method.name)}", _arguments(shown))
    imported = "Client, CookieJar" if any(c.cookie is not None for c in shown.credentials) else "Client"
    lines = [f'import {{ {imported} }} from "{PACKAGE}";', "", f"const client = {_client(shown)};", *_used(shown, call)]
    return "\n".join(lines) + "\n"


def _arguments(shown: Shown) -> list[str]:
    values = positional(shown.method, shown.arguments)
    return ["undefined" if value is None else _literal(value, 0) for value in values]


def _client(shown: Shown) -> str:
    members = [f"baseUrl: {_told(BASE_URL)}"]
    given = [f"{lower_camel(c.scheme)}: {_told(c.variable)}" for c in shown.credentials if c.cookie is None]
    kept = [f'["{c.cookie}", {_told(c.variable)}]' for c in shown.credentials if c.cookie is not None]
    members += [f"credentials: {{ {', '.join(given)} }}"] if given else []
    members += [f"cookies: new CookieJar([{', '.join(kept)}])"] if kept else []
    inner = "".join(f"{_INDENT}{member},\n" for member in members)
    return f"new Client({{ {members[0]} }})" if len(members) == 1 else f"new Client({{\n{inner}}})"


def _told(variable: str) -> str:
    return f"process.env.{variable}!"


def _used(shown: Shown, call: str) -> list[str]:
    if shown.method.kind != "value":
        name = "item" if shown.method.kind == "paged" else "event"
        return [f"for await (const {name} of {call}) {{", f"{_INDENT}console.log({name});", "}"]
    if shown.result is None:
        return [f"await {call};"]
    name = lower_camel(shown.result)
    name = "answer" if name in _TAKEN else name
    return [f"const {name} = await {call};", f"console.log({name});"]


def _called(function: str, arguments: list[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH - 16 or (len(arguments) == 1 and "\n" in arguments[0]):
        return line
    if "\n" in line and all("\n" not in argument for argument in arguments[:-1]):
        return line
    inner = "".join(f"{_INDENT}{argument},\n" for argument in (a.replace("\n", f"\n{_INDENT}") for a in arguments))
    return f"{function}(\n{inner})"


def _literal(value: Any, depth: int) -> str:
    """Return plain data as an expression; what is too long for a line is broken into lines `depth` steps deep."""
    if not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        rows = [_literal(each, depth + 1) for each in value]
        line = f"[{', '.join(rows)}]"
        brackets = "[]"
    else:
        rows = [f"{_key(name)}: {_literal(each, depth + 1)}" for name, each in value.items()]
        line = f"{{ {', '.join(rows)} }}" if rows else "{}"
        brackets = "{}"
    if len(line) + len(_INDENT) * depth <= _WIDTH - 28 and "\n" not in line:
        return line
    inner = "".join(f"{_INDENT * (depth + 1)}{row},\n" for row in rows)
    return f"{brackets[0]}\n{inner}{_INDENT * depth}{brackets[1]}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name) else json.dumps(name, ensure_ascii=False)
