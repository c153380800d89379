"""Writes a call as a program in Python."""

from __future__ import annotations

import json
import keyword
from typing import Any

from codegen.names import snake
from codegen.sdk.shown import BASE_URL, Shown
from codegen.sdk.surface import PACKAGE, Argument

_WIDTH = 88
_TAKEN = {"client", "os", "datetime", "print", "type", "list", "id"}


def text(shown: Shown) -> str:
    """Return a program that makes the call."""
    arguments = [_value(shown, argument, value, 0) for argument, value in shown.given("path")]
    arguments += [
        f"{argument.name}={_value(shown, argument, value, 1)}"
        for argument, value in shown.given("query", "header", "cookie", "body")
    ]
    call = _called(f"client.{shown.resource.name}.{shown.method.name}", arguments)
    lines = [
        "import os",
        "",
        f"from {PACKAGE.replace('-', '_')} import Client",
        "",
        f"client = {_client(shown)}",
        *_used(shown, call),
    ]
    if "datetime.fromisoformat" in call:
        lines.insert(1, "from datetime import datetime")
    return "\n".join(lines) + "\n"


def _client(shown: Shown) -> str:
    arguments = [f'os.environ["{BASE_URL}"]']
    cookies = [(c.cookie, c.variable) for c in shown.credentials if c.cookie is not None]
    arguments += [f'{snake(c.scheme)}=os.environ["{c.variable}"]' for c in shown.credentials if c.cookie is None]
    if cookies:
        held = ", ".join(f'"{cookie}": os.environ["{variable}"]' for cookie, variable in cookies)
        arguments.append(f"cookies={{{held}}}")
    return _called("Client", arguments)


def _used(shown: Shown, call: str) -> list[str]:
    if shown.method.kind == "paged":
        return [f"for item in {call}:", "    print(item)"]
    if shown.method.kind == "stream":
        return [f"with {call} as events:", "    for event in events:", "        print(event)"]
    if shown.result is None:
        return [call]
    name = snake(shown.result)
    name = "answer" if name in _TAKEN or keyword.iskeyword(name) else name
    return [f"{name} = {call}", f"print({name})"]


def _called(function: str, arguments: list[str]) -> str:
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH - 12 and "\n" not in line:
        return line
    inner = "".join(f"    {argument},\n" for argument in arguments)
    return f"{function}(\n{inner})"


def _value(shown: Shown, argument: Argument, value: Any, depth: int) -> str:
    node = shown.bundle.follow(argument.schema)[1]
    is_time = isinstance(node, dict) and node.get("format") == "date-time"
    text = _literal(value, depth)
    return f"datetime.fromisoformat({text})" if is_time and argument.location == "body" and value else text


def _literal(value: Any, depth: int) -> str:
    """Return plain data as an expression; what is too long for a line is broken into lines `depth` steps deep."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list):
        return repr(value)
    if isinstance(value, list):
        rows = [_literal(each, depth + 1) for each in value]
    else:
        rows = [f"{json.dumps(name, ensure_ascii=False)}: {_literal(each, depth + 1)}" for name, each in value.items()]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    line = f"{opening}{', '.join(rows)}{closing}"
    if len(line) + 4 * depth <= _WIDTH - 16 and "\n" not in line:
        return line
    inner = "".join(f"{'    ' * (depth + 1)}{row},\n" for row in rows)
    return f"{opening}\n{inner}{'    ' * depth}{closing}"
