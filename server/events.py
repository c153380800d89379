"""Events of a stream, judged against the contract like any other answer.

A bad event ends its stream with the failure event that core gave the stream, or is reported and sent, by the same
policy as elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from core.kernel.call import Event
from core.kernel.operation import Operation
from core.kernel.problems import Violation
from server.request import Request
from server.schemas import Schema, Schemas
from server.state import State
from server.streams import EventCheck

_UNNAMED_TYPE = "message"
"""An event whose frame has no event field is a `message` to its reader (WHATWG HTML, 9.2.6)."""


class EventSchemas:
    """The declared events of one operation; remembers the last verdict, because every client of a channel asks for it."""

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        declared = {
            name: pointer
            for response in operation.success
            for media in response.media
            if media.content_type == "text/event-stream"
            for name, pointer in media.events.items()
        }
        self.schemas: dict[str, Schema] = {name: schemas.get(pointer) for name, pointer in declared.items()}
        self._last: tuple[str, int] = ("", -1)
        self._verdict: Sequence[Violation] = ()

    def violations(self, event: Event, *, named: bool) -> Sequence[Violation]:
        """Name every clause that an event breaks."""
        if (event.channel, event.seq) != self._last:
            self._verdict = self._judge(event, event.type if named else _UNNAMED_TYPE)
            self._last = (event.channel, event.seq)
        return self._verdict

    def _judge(self, event: Event, type_: str) -> Sequence[Violation]:
        schema = self.schemas.get(type_)
        if schema is None:
            message = f"the event {type_} is not declared"
            return [Violation(pointer="", location="response", rule="event", message=message)]
        value = orjson.loads(event.data)
        return () if schema.is_valid(value) else schema.violations(value, location="response")


def event_judge(operation: Operation, state: State, schemas: Schemas) -> Callable[[Request, bool], EventCheck] | None:
    """Build (request, named) → check for a streaming operation that declares its events; None for any other."""
    declared = EventSchemas(operation, schemas)
    if not declared.schemas:
        return None
    enforces = state.enforces_responses

    def judge(request: Request, named: bool) -> EventCheck:
        request = request.bare()  # the check lives as long as the stream

        def check(event: Event) -> bool:
            found = declared.violations(event, named=named)
            if found:
                state.observer.response_mismatched(request, operation_id=operation.id, status=200, violations=found)
            return not (found and enforces)

        return check

    return judge
