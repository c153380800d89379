"""The direct lane: WSGI environ → our own map → compiled view → bytes, without Flask's per-request objects.

Order: the contract's paths, then what was defined at run time, then the contract's catch-alls; what none of them knows
goes on to Flask. A path that exists under another method is answered 405 here and goes nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from core.kernel.operation import Operation
from core.kernel.problems import BadRequest, InternalError, MethodNotAllowed, NotFound, Problem
from server.answer import Answer
from server.clients import Resolver
from server.headers import CommonHeaders
from server.request import Environ, Request
from server.router import Match, Router, View
from server.snapshot import Follower
from server.state import State

Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Lane:
    """Built once; `before` puts it in front of Flask."""

    def __init__(
        self,
        operations: Iterable[Operation],
        views: Mapping[str, View],
        *,
        state: State,
        resolve_client: Resolver,
        follower: Follower | None,
    ) -> None:
        self._fixed, self._catch_alls = Router(), Router()
        for row in operations:
            (self._catch_alls if row.is_catch_all else self._fixed).add(row.method, row.path, views[row.id])
        self._state = state
        self._resolve_client = resolve_client
        self._follower = follower
        self._finish = CommonHeaders(state.service.settings).finish

    def before(self, behind: Wsgi) -> Wsgi:
        """Return the WSGI application that answers what it knows and leaves the rest to `behind`."""
        resolve_client, fixed = self._resolve_client, self._fixed

        def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            request = Request(environ, *resolve_client(environ))
            try:
                segments = request.segments()
                match = fixed.match(segments) or self._match_late(segments)
            except Problem as problem:
                return self.refuse(request, problem).send(environ, start_response)
            if match is None:
                return behind(environ, start_response)
            view = match.views.get(request.method)
            if view is None:
                return self.refuse(request, _not_allowed(match.allow)).send(environ, start_response)
            return view(request, match.values).send(environ, start_response)

        return application

    def _match_late(self, segments: list[str]) -> Match | None:
        if self._follower is not None and (match := self._follower.router().match(segments)):
            return match
        return self._catch_alls.match(segments)

    def refuse(self, request: Request, problem: Problem) -> Answer:
        """Answer outside every operation, in the style of the longest matching prefix."""
        if problem.cause:
            self._state.observer.problem_raised(request, operation_id="", code=problem.code, cause=problem.cause)
        answer = self._state.errors.answer(problem, self._state.errors.style_of(request.path), request.path)
        self._finish(request, answer)
        self._state.observer.request_ended(
            request,
            operation_id="",
            status=answer.status,
            duration_seconds=time.perf_counter() - request.started,
            size_bytes=len(answer.body),
            code=answer.code,
        )
        return answer

    def render(self, error: Exception) -> flask.Response:
        """Answer for Flask, whose router found nothing or whose view raised."""
        environ = flask.request.environ
        request = Request(environ, *self._resolve_client(environ))
        try:
            request.segments()
        except BadRequest as problem:
            return self.refuse(request, problem).response()
        if not isinstance(error, HTTPException):
            self._state.observer.request_failed(request, operation_id="", error=error)
        return self.refuse(request, _as_problem(error)).response()


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    status = error.code if isinstance(error, HTTPException) else 500
    if status == 405:
        methods = getattr(error, "valid_methods", None) or ()
        return _not_allowed(", ".join(sorted(methods)))
    if status == 404 or status in {301, 302, 307, 308}:  # a redirect to another spelling of the path is no answer here
        return NotFound("No such path.")
    if status is not None and 400 <= status < 500:
        return BadRequest("The request cannot be read.")
    return InternalError("The server failed; its log has the cause under the request id.")


def _not_allowed(allow: str) -> MethodNotAllowed:
    return MethodNotAllowed(f"This path answers {allow}.", headers={"Allow": allow})
