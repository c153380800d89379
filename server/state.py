"""What one running application holds: the frozen service and what is compiled from it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import flask

from core.kernel.call import EventStream
from core.kernel.principal import Principal
from server.errors import ErrorRenderer
from server.observe import Observer
from server.schemas import published_schemas
from server.service import Service
from server.streams import EventCheck


class StreamOpener(Protocol):
    """Opens event streams; server.streams implements it."""

    def open(
        self,
        stream: EventStream,
        *,
        principal: Principal,
        operation_id: str,
        check: EventCheck | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> flask.Response:
        """Answer with a stream; its headers may still be added to. check: judges each event before it is sent."""


class State:
    """Found as `app.extensions["accord"]`."""

    __slots__ = ("errors", "observer", "schemas", "service", "streams")

    def __init__(self, service: Service, observer: Observer, streams: StreamOpener) -> None:
        self.service = service
        self.observer = observer
        self.streams = streams
        self.errors = ErrorRenderer(service.contract, service.settings.problem_base)
        self.schemas = published_schemas(service.contract_dir)

    @property
    def enforces_responses(self) -> bool:
        """Say whether an answer that breaks the contract becomes a 500: always in dev, by setting in production."""
        settings = self.service.settings
        return settings.is_dev or settings.response_check == "enforce"
