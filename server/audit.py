"""Tell the audit trail what an operation did, and to whom it was refused.

Which operations are told of is the contract's decision (`x-audit`). Of what a request names, only ids are kept as they
are: a path may hold an invite's token, and a login may be a password typed into the wrong field.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson

from core.kernel.call import Call, Reply
from core.kernel.exchange import Deed
from core.kernel.operation import Operation
from core.kernel.problems import Problem
from server import metrics
from server.answer import Answer
from server.ports import AuditTrail
from server.request import Request
from server.router import names_of

REFUSALS = frozenset({401, 403, 423})
_ACCOUNT_FIELDS = ("email", "username")
_ACCOUNT_BYTES = 16_384
_CREATED_BYTES = 65_536


class Audit:
    """One operation's door to the trail."""

    def __init__(self, operation: Operation, trail: AuditTrail) -> None:
        self._operation = operation
        self._trail = trail
        self._names = names_of(operation.path)
        self._makes = operation.method.upper() == "POST"

    def done(self, request: Request, call: Call[Any, Any], values: tuple[str, ...], answer: Answer) -> None:
        """Record a success, inside the transaction of its effect."""
        user_id = _admitted(call, answer) if call.principal.is_anonymous else call.principal.user_id
        self._trail.record(self._success(request, values, answer, user_id))

    def follows(
        self,
        request: Request,
        call: Call[Any, Any],
        values: tuple[str, ...],
        answer: Answer,
        *,
        result: object,
        is_durable: bool,
    ) -> None:
        """Record a success whose effect is committed already, before it is answered.

        result: what the handler returned, which may name whom a login let in. is_durable: committed to the disk.
        """
        admitted = result.admitted if isinstance(result, Reply) else None
        user_id = (admitted or _admitted(call, answer)) if call.principal.is_anonymous else call.principal.user_id
        self._trail.follow(self._success(request, values, answer, user_id), is_durable=is_durable)

    def _success(self, request: Request, values: tuple[str, ...], answer: Answer, user_id: UUID | None) -> Deed:
        objects = self._objects(values)
        if self._makes and (made := _made(answer)):
            objects["made"] = made
        return self._deed(request, answer.status, None, user_id, objects)

    def refused(self, request: Request, values: tuple[str, ...], problem: Problem) -> None:
        """Record a refusal to a known caller, or a login that failed; what nobody tried to be is no news."""
        is_login = not self._operation.security
        is_failed_login = is_login and (problem.status == 401 or problem.is_failed_login)
        if not is_failed_login and problem.status not in REFUSALS - {401}:
            return
        objects = self._objects(values)
        if is_login and (account := _account(request)):
            objects["account"] = account
        user_id = None if request.principal.is_anonymous else request.principal.user_id
        if not self._trail.refuse(self._deed(request, problem.status, problem.code, user_id, objects)):
            metrics.AUDIT_LOST.labels(self._operation.id).inc()

    def _objects(self, values: tuple[str, ...]) -> dict[str, str]:
        return {name: _shown(value) for name, value in zip(self._names, values, strict=True)}

    def _deed(
        self, request: Request, status: int, code: str | None, user_id: UUID | None, objects: dict[str, str]
    ) -> Deed:
        principal = request.principal
        return Deed(
            operation_id=self._operation.id,
            status=status,
            code=code,
            user_id=user_id,
            tenant_id=None if principal.is_anonymous else principal.tenant_id,
            credential_kind=principal.kind,
            credential_id=principal.credential_id,
            client_address=request.client_address,
            request_id=request.request_id,
            objects=objects,
        )


def compile_audit(operation: Operation, trail: AuditTrail | None) -> Audit | None:
    """Return the operation's door to the trail; None where the contract or the product wants none."""
    return Audit(operation, trail) if operation.is_audited and trail is not None else None


def _shown(value: str) -> str:
    """Return an id as it is, and a digest of anything else."""
    if value.isascii() and value.isdigit() and len(value) < 20:
        return value
    try:
        return str(UUID(value))
    except ValueError:
        return f"sha256:{hashlib.sha256(value.encode(errors='surrogatepass')).hexdigest()[:16]}"


def _admitted(call: Call[Any, Any], answer: Answer) -> UUID | None:
    """Return whom a login let in: the one whom its prepare step verified, or whom its answer names."""
    proven = getattr(call.context.prepared, "user_id", None)
    if isinstance(proven, UUID):
        return proven
    body = _body(answer)
    user = body.get("user")
    named = user.get("id") if isinstance(user, dict) else body.get("user_id")
    return UUID(named) if isinstance(named, str) else None


def _body(answer: Answer) -> dict[str, Any]:
    """Return a JSON object of an answer, and nothing of any other body."""
    if not answer.body.startswith(b"{") or len(answer.body) > _CREATED_BYTES:
        return {}
    body = orjson.loads(answer.body)
    assert isinstance(body, dict)
    return body


def _made(answer: Answer) -> str | None:
    """Find the id of what was made in the answer's body."""
    body = _body(answer)
    inner = body.get("data")
    named = inner if isinstance(inner, dict) else body
    ids = [named[name] for name in ("id", *sorted(named)) if name in named and (name == "id" or name.endswith("_id"))]
    shown = (_shown(str(value)) for value in ids if isinstance(value, str | int))
    return next((value for value in shown if not value.startswith("sha256:")), None)


def _account(request: Request) -> str | None:
    """Return a digest of the account that a failed login named."""
    if not request.body or len(request.body) > _ACCOUNT_BYTES:
        return None
    name = _form_account(request.body) if request.body[:1] != b"{" else _json_account(request.body)
    return f"sha256:{hashlib.sha256(name.strip().lower().encode()).hexdigest()[:16]}" if name else None


def _json_account(body: bytes) -> str | None:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return next((sent[name] for name in _ACCOUNT_FIELDS if isinstance(sent.get(name), str)), None)


def _form_account(body: bytes) -> str | None:
    sent = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20, errors="replace")
    return next((sent[name][0] for name in _ACCOUNT_FIELDS if sent.get(name)), None)
