"""The one exit of refusals: a Problem in, an answer in the operation's error style out.

The private cause is reported to the observer and never sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from core.kernel.operation import Contract, ErrorStyle, Operation
from core.kernel.problems import Invalid, Problem, Violation
from server.answer import Answer, Headers
from server.schemas import ERRORS_MAX

_encode = msgspec.json.Encoder().encode
_TEXT_MAX = 4096
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class ErrorRenderer:
    """Render problems in the contract's styles."""

    def __init__(self, contract: Contract, problem_base: str) -> None:
        self._styles = contract.styles
        self._prefixes = sorted(contract.style_prefixes, key=lambda row: -len(row.prefix))
        self._base = problem_base
        self._challenge = {operation.id: _challenge(contract, operation) for operation in contract.operations}
        self._realm = f'Bearer realm="{contract.title}"'

    def style_of(self, path: str) -> ErrorStyle:
        """Return the style of the longest prefix that matches a path outside every operation."""
        for row in self._prefixes:
            if path.startswith(row.prefix):
                return self._styles[row.style]
        return next(iter(self._styles.values()))

    def style_named(self, name: str) -> ErrorStyle:
        return self._styles[name]

    def answer(self, problem: Problem, style: ErrorStyle, path: str, operation_id: str = "") -> Answer:
        """Render a problem."""
        status = style.invalid_status if isinstance(problem, Invalid) else problem.status
        code = style.codes.get(problem.code, problem.code)
        body = _encode(_FORMATS[style.format](problem, status, code, self._base, path))
        headers: Headers = [("Content-Type", style.content_type), ("Cache-Control", "no-store")]
        headers += problem.headers.items()
        if problem.retry_after_seconds is not None and "Retry-After" not in problem.headers:
            headers.append(("Retry-After", str(problem.retry_after_seconds)))
        if status == 401 and "WWW-Authenticate" not in problem.headers:
            headers.append(("WWW-Authenticate", self._challenge.get(operation_id, self._realm)))
        return Answer(status, headers, body, code=problem.code)


def _challenge(contract: Contract, operation: Operation) -> str:
    """Name a scheme that the operation accepts (RFC 9110, 11.6.1: every 401 carries one)."""
    kinds = {scheme.name: scheme.kind for scheme in contract.schemes}
    accepted = [kinds.get(row.schemes[0]) for row in operation.security if row.schemes]
    name = "Bearer" if "bearer" in accepted or not accepted else {"cookie": "Session"}.get(str(accepted[0]), "ApiKey")
    return f'{name} realm="{contract.title}"'


def _violations(errors: tuple[Violation, ...]) -> list[Violation]:
    return list(errors[:ERRORS_MAX])


def _problem(problem: Problem, status: int, code: str, base: str, path: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": base + code.lower().replace(".", "-").replace("_", "-"),
        "title": problem.title,
        "status": status,
        "code": code,
        "detail": problem.detail[:_TEXT_MAX],
        "instance": quote(path, safe="/~!$&'()*+,;=:@")[:16384],
    }
    if problem.retry_after_seconds is not None:
        body["retry_after_seconds"] = problem.retry_after_seconds
    if problem.errors:
        body["errors"] = _violations(problem.errors)
    return {**body, **{name: value for name, value in problem.extensions.items() if name not in body}}


def _code(problem: Problem, status: int, code: str, base: str, path: str) -> dict[str, Any]:
    body: dict[str, Any] = {"error": problem.title, "code": code, "message": problem.detail[:_TEXT_MAX]}
    if problem.errors:
        body["errors"] = _violations(problem.errors)
    return body


def _workflow(problem: Problem, status: int, code: str, base: str, path: str) -> dict[str, Any]:
    details: dict[str, Any] = {"code": code}
    if problem.errors:
        details["errors"] = _violations(problem.errors)
    error = {"message": problem.detail[:_TEXT_MAX], "details": details}
    return {"success": False, "status_code": status, "data": problem.data, "error": error}


def _api(problem: Problem, status: int, code: str, base: str, path: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": problem.detail[:_TEXT_MAX]}
    if problem.errors:
        error["details"] = _violations(problem.errors)
    return {"success": False, "error": error}


def _openai(problem: Problem, status: int, code: str, base: str, path: str) -> dict[str, Any]:
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    param = problem.errors[0].pointer.strip("/").replace("/", ".") or None if problem.errors else None
    error: dict[str, Any] = {"message": problem.detail[:_TEXT_MAX], "type": kind, "param": param, "code": code}
    if problem.errors:
        error["errors"] = _violations(problem.errors)
    return {"error": error}


_FORMATS: dict[str, Callable[[Problem, int, str, str, str], dict[str, Any]]] = {
    "problem": _problem,
    "code": _code,
    "workflow": _workflow,
    "api": _api,
    "openai": _openai,
}
