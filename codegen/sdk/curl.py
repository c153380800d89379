"""Writes a call as a command line of curl."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from codegen.sdk.shown import BASE_URL, Shown
from codegen.sdk.surface import Credential

_WIDTH = 70
_FORM = "application/x-www-form-urlencoded"


def text(shown: Shown) -> str:
    """Return a command that makes the call."""
    method = shown.method.operation.method
    flags = "-fsSN" if shown.method.kind == "stream" else "-fsS"
    verb = "" if method == "GET" else f"-X {method} "
    parts = [f'curl {flags} {verb}"${BASE_URL}{_target(shown)}"']
    parts += [f"-H {_quoted(f'{argument.wire}: {_plain(value)}')}" for argument, value in shown.given("header")]
    parts += _cookies(shown)
    parts += [f'-H "{_header(c)}"' for c in shown.credentials if c.kind not in {"cookie", "query"}]
    return " \\\n  ".join([*parts, *_body(shown)]) + "\n"


def _target(shown: Shown) -> str:
    path = shown.method.operation.path
    for argument, value in shown.given("path"):
        path = path.replace(f"{{{argument.wire}}}", quote(_plain(value), safe=""))
    query = [(argument.wire, _plain(value)) for argument, value in shown.given("query")]
    told = [urlencode(query)] if query else []
    told += [f"{quote(c.parameter)}=${c.variable}" for c in shown.credentials if c.kind == "query"]
    return f"{path}?{'&'.join(told)}" if told else path


def _header(credential: Credential) -> str:
    scheme = {"bearer": "Bearer ", "basic": "Basic "}.get(credential.kind, "")
    return f"{credential.parameter}: {scheme}${credential.variable}"


def _cookies(shown: Shown) -> list[str]:
    pairs = [f"{c.cookie}=${c.variable}" for c in shown.credentials if c.cookie is not None]
    pairs += [f"{argument.wire}={quote(_plain(value))}" for argument, value in shown.given("cookie")]
    return [f'-b "{"; ".join(pairs)}"'] if pairs else []


def _body(shown: Shown) -> list[str]:
    body = shown.method.body
    given = shown.given("body")
    if body is None or not (given or body.is_required):
        return []
    if body.content_type == _FORM:
        return [f"--data-urlencode {_quoted(f'{argument.wire}={_plain(value)}')}" for argument, value in given]
    if body.content_type == "multipart/form-data":
        return [f"-F {_quoted(f'{argument.wire}={_plain(value)}')}" for argument, value in given]
    value: Any = given[0][1] if body.is_whole and given else {argument.wire: value for argument, value in given}
    if isinstance(value, dict):
        value = {**value, **body.constants} if any(body.constants.values()) else value
    line = json.dumps(value, ensure_ascii=False)
    line = line if len(line) <= _WIDTH else json.dumps(value, ensure_ascii=False, indent=2)
    return [f"-H {_quoted(f'Content-Type: {body.content_type}')}", f"-d {_quoted(line)}"]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quoted(words: str) -> str:
    """Return a text as bash reads it back, whatever is in it."""
    return "'" + words.replace("'", "'\\''") + "'"
