"""The middle of the pipeline: run the handler, encode, judge, and keep the answer, in a transaction where one is due.

Three ways, chosen per operation at start: plain; transactional (x-idempotent, or If-Match on a write), where claim,
precondition, handler, judgement and storing commit together; streaming, where the claim is committed first, because
preparing such an answer may take long, and handler and storing commit together. A claim is renewed meanwhile, released
when either fails, and lapses when its worker dies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.kernel.call import Call, EventStream
from core.kernel.operation import Contract, Operation
from core.kernel.problems import ResponseMismatch
from models import database
from server import idempotency, preconditions
from server.answer import Answer
from server.audit import Audit
from server.events import event_judge
from server.idempotency import Hold, Keeper
from server.parameters import compile_parameters
from server.request import Request
from server.responses import Responses
from server.router import names_of
from server.schemas import Schemas
from server.state import State

Handler = Callable[[Any], Any]
Call_ = Call[Any, Any]
Run = Callable[[Request, Call_, tuple[str, ...]], Answer]
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Execution:
    """One operation's handler with everything around it."""

    def __init__(
        self,
        operation: Operation,
        *,
        state: State,
        contract: Contract,
        schemas: Schemas,
        handlers: Mapping[str, Handler],
        audit: Audit | None,
    ) -> None:
        self._operation = operation
        self._state = state
        self._handler = handlers[operation.id]
        self._prepare = state.service.prepares.get(operation.id)
        self.responses = Responses(operation, schemas)
        self._keeper = _keeper(operation, state) if operation.is_idempotent else None
        self._validates = operation.etag_of == operation.id
        self._current = _current(operation, contract, schemas, handlers)
        self._judge_events = event_judge(operation, state, schemas)
        self._effect = {"effect": "unknown"} if operation.method.upper() in _UNSAFE else {}
        self._enforces = state.enforces_responses
        self._audit = audit

    def choose(self) -> Run:
        """Return the way this operation is run."""
        if self._operation.is_stream:
            return self.run_streaming
        if self._keeper is not None or self._current is not None:
            return self.run_transactional
        return self.run_plain

    def run_plain(self, request: Request, call: Call_, values: tuple[str, ...]) -> Answer:
        """Run the handler, which commits what it does by itself; its entry in the audit trail is committed before the answer."""
        if self._audit is None:
            return self._answer(request, self._handler(self._prepared(call)), self._effect)
        with database.noting_writes() as has_written:
            call = self._prepared(call)
            result = self._handler(call)
            answer = self._answer(request, result, self._effect)
        self._audit.follows(request, call, values, answer, result=result, is_durable=has_written())
        return answer

    def run_transactional(self, request: Request, call: Call_, values: tuple[str, ...]) -> Answer:
        claim = self._keeper.claim(request, request.body) if self._keeper else None
        call = self._prepared(call)
        if_match = request.header("HTTP_IF_MATCH") if self._current else None
        if if_match is not None:
            return database.isolated(lambda: self._transact(request, call, values, claim, if_match))
        with database.write():
            return self._transact(request, call, values, claim)

    def _transact(
        self,
        request: Request,
        call: Call_,
        values: tuple[str, ...],
        claim: idempotency.Claim | None,
        if_match: str | None = None,
    ) -> Answer:
        """Do what commits together; values: of the path."""
        if claim is not None and self._keeper is not None and (replay := self._keeper.begin(claim)):
            return idempotency.replayed(replay)
        if if_match is not None and self._current is not None:
            preconditions.check_match(if_match, self._current(request, call, values))
        answer = self._answer(request, self._handler(call), {"effect": "none"})
        if self._audit is not None:
            self._audit.done(request, call, values, answer)
        if claim is not None and self._keeper is not None:
            self._keeper.store(claim, idempotency.kept(answer))
        return answer

    def run_streaming(self, request: Request, call: Call_, values: tuple[str, ...]) -> Answer:
        claim = self._keeper.claim(request, request.body) if self._keeper else None
        if claim is None or self._keeper is None:
            return self._answer(request, self._handler(self._prepared(call)), self._effect)
        with database.write():
            replay = self._keeper.begin(claim)
        if replay is not None:
            return self._replay_stream(request, replay)
        with Hold(self._keeper, claim) as hold:
            call = self._prepared(call)
            hold.settle()
            with database.write():
                result = self._handler(call)
                answer = None if isinstance(result, EventStream) else self._answer(request, result, {"effect": "none"})
                kept = idempotency.kept(answer) if answer else idempotency.kept_stream(result)
                self._keeper.store(hold.claim, kept)
        return answer or self._answer(request, result, self._effect)

    def _replay_stream(self, request: Request, replay: Any) -> Answer:
        if replay.channel is None:
            return idempotency.replayed(replay)
        is_current = self._state.service.ports.verifier.is_current
        stream = idempotency.reopened(replay, request.principal, is_current)
        answer = self._open(request, stream)
        request.headers_out.append(idempotency.REPLAYED)
        return answer

    def _prepared(self, call: Call_) -> Call_:
        """Run the slow step before any transaction."""
        if self._prepare is None:
            return call
        context = msgspec.structs.replace(call.context, prepared=self._prepare(call))
        return msgspec.structs.replace(call, context=context)

    def _answer(self, request: Request, result: Any, effect: Mapping[str, str]) -> Answer:
        if isinstance(result, EventStream):
            answer = self._open(request, result)
        else:
            answer = self.responses.encode(result)
            if self._validates and answer.status == 200:
                answer = preconditions.validated(answer, request.header("HTTP_IF_NONE_MATCH"))
        try:
            self.judge(request, answer, effect)
        except ResponseMismatch:
            if answer.stream is not None:
                answer.stream.close()  # nobody will iterate it, which is what ends it otherwise
            raise
        return answer

    def _open(self, request: Request, stream: EventStream) -> Answer:
        response = self._state.streams.open(
            stream,
            principal=request.principal,
            operation_id=self._operation.id,
            check=self._judge_events and self._judge_events(request, stream.named),
            on_close=request.leave,
        )
        request.leave = None  # the stream gives the slot back
        return Answer(200, [], stream=response)

    def judge(self, request: Request, answer: Answer, effect: Mapping[str, str]) -> None:
        """Report an answer that breaks the contract.

        Raises:
            ResponseMismatch: and the policy is to enforce it.
        """
        found = self.responses.violations(request, answer)
        if not found:
            return
        self._state.observer.response_mismatched(
            request, operation_id=self._operation.id, status=answer.status, violations=found
        )
        if self._enforces:
            raise ResponseMismatch(
                "The answer does not match the contract.",
                extensions=effect,
                cause="; ".join(f"{row.pointer} {row.rule} {row.message}" for row in found[:10]),
            )


def _keeper(operation: Operation, state: State) -> Keeper:
    return Keeper(operation, state.service.ports.idempotency, state.observer)


def _current(
    operation: Operation, contract: Contract, schemas: Schemas, handlers: Mapping[str, Handler]
) -> Callable[[Request, Call_, tuple[str, ...]], bytes] | None:
    """Build what encodes the resource that a write is about to change: the answer of its x-etag operation."""
    if operation.etag_of in {None, operation.id}:
        return None
    source = next(row for row in contract.operations if row.id == operation.etag_of)
    if source.id not in handlers:
        return None
    handler, decode, responses = handlers[source.id], compile_parameters(source, schemas), Responses(source, schemas)
    names = names_of(operation.path)
    order = [names.index(name) for name in names_of(source.path)]

    def current(request: Request, call: Call_, values: tuple[str, ...]) -> bytes:
        parameters = decode(request, tuple(values[index] for index in order), ignores_query=True)
        return responses.encode(
            handler(Call(principal=call.principal, parameters=parameters, body=None, context=call.context))
        ).body

    return current
