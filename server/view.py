"""The compiled view of one operation: a closure built once at start, in which every request passes the stages in order.

authenticate → authorise → limit → decode → idempotency → handler → encode → headers, report. Whatever is raised ends
here: a Problem is rendered in the operation's style, a lost database is 503, anything else is a bug and 500.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from core.kernel.call import Call, RequestContext
from core.kernel.operation import Contract, Operation
from core.kernel.problems import (
    InternalError,
    Invalid,
    NotFound,
    NotImplementedYet,
    Problem,
    ResponseMismatch,
    Violation,
)
from models.database import LOST, unavailable
from server.answer import Answer
from server.audit import compile_audit
from server.bodies import compile_body
from server.execution import Execution, Handler
from server.headers import CommonHeaders
from server.limits import compile_finish, compile_limit
from server.parameters import compile_parameters
from server.request import Request
from server.router import View
from server.schemas import Schemas
from server.security import compile_gate
from server.state import State
from server.switches import is_on

Decode = Callable[[Request, tuple[str, ...]], tuple[Any, Any]]


def compile_view(
    operation: Operation, *, state: State, contract: Contract, schemas: Schemas, handlers: Mapping[str, Handler]
) -> View:
    """Compile an operation of `contract`; without a handler it answers 501."""
    gate = compile_gate(operation, contract, state.service.ports.verifier)
    limit = compile_limit(operation, state.service.ports.limiter)
    complete = compile_finish(operation, state.service.ports.limiter)
    decode = compile_decode(operation, schemas)
    audit = compile_audit(operation, state.service.ports.audit)
    execution = (
        Execution(operation, state=state, contract=contract, schemas=schemas, handlers=handlers, audit=audit)
        if operation.id in handlers
        else None
    )
    run = execution.choose() if execution else _not_implemented
    refuse = _refuser(operation, state, execution)
    is_switched_off = not is_on(operation, state.service.settings)
    finish = CommonHeaders(state.service.settings, operation).finish
    operation_id, clock, report = operation.id, time.perf_counter, state.observer.request_ended

    def attempt(request: Request, values: tuple[str, ...]) -> Answer:
        try:
            if is_switched_off:
                raise NotFound("This operation is switched off.")
            if gate is not None:
                gate(request, values)
            limit(request)
            parameters, body = decode(request, values)
            context = _context(request, operation_id)
            call = Call(principal=request.principal, parameters=parameters, body=body, context=context)
            return run(request, call, values)
        except Problem:
            raise
        except LOST as error:
            raise unavailable(error) from error
        except Exception as error:
            raise InternalError("The server failed; its log has the cause under the request id.") from error

    def view(request: Request, values: tuple[str, ...]) -> Answer:
        try:
            answer = attempt(request, values)
        except Problem as problem:
            answer = refuse(request, problem)
            if audit is not None:
                audit.refused(request, values, problem)
        complete(request, answer)
        finish(request, answer)
        report(
            request,
            operation_id=operation_id,
            status=answer.status,
            duration_seconds=clock() - request.started,
            size_bytes=len(answer.body),
            code=answer.code,
        )
        return answer

    return view


def compile_decode(operation: Operation, schemas: Schemas) -> Decode:
    """Build the stage that reads parameters and body and names the violations of both at once."""
    decode_parameters = compile_parameters(operation, schemas)
    decode_body = compile_body(operation, schemas)

    def decode(request: Request, values: tuple[str, ...]) -> tuple[Any, Any]:
        errors: tuple[Violation, ...] = ()
        parameters = body = None
        try:
            parameters = decode_parameters(request, values)
        except Invalid as invalid:
            errors = invalid.errors
        try:
            body = decode_body(request)
        except Invalid as invalid:
            errors += invalid.errors
        if errors:
            raise Invalid("The request breaks the contract; every broken clause is named.", errors=errors)
        return parameters, body

    return decode


def _context(request: Request, operation_id: str) -> RequestContext:
    environ = request.environ
    return RequestContext(
        request_id=request.request_id,
        operation_id=operation_id,
        path=request.path,
        client_address=request.client_address,
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        is_secure=request.is_secure,
        host=environ.get("HTTP_HOST", ""),
        credentials=request.credentials,
        idempotency_key=environ.get("HTTP_IDEMPOTENCY_KEY"),
    )


def _not_implemented(request: Request, call: Call[Any, Any], values: tuple[str, ...]) -> Answer:
    raise NotImplementedYet("This operation has no handler yet.")


def _refuser(operation: Operation, state: State, execution: Execution | None) -> Callable[[Request, Problem], Answer]:
    """Build the exit of refusals; a refusal that the contract does not declare is itself a mismatch."""
    style = state.errors.style_named(operation.error_style)

    def refuse(request: Request, problem: Problem) -> Answer:
        if isinstance(problem, InternalError) and problem.__cause__ is not None:
            state.observer.request_failed(request, operation_id=operation.id, error=problem.__cause__)
        if problem.cause:
            state.observer.problem_raised(request, operation_id=operation.id, code=problem.code, cause=problem.cause)
        answer = state.errors.answer(problem, style, request.path, operation.id)
        if execution is None or isinstance(problem, ResponseMismatch):
            return answer
        try:
            execution.judge(request, answer, {})
        except ResponseMismatch as mismatch:
            return refuse(request, mismatch)
        return answer

    return refuse
