"""A call as data: which operation, with what."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .exchange import Steps, exchange, new_key
from .state import Core
from .wire import Operation, Response, prepare

if TYPE_CHECKING:
    from .options import Options

T = TypeVar("T")


class Call(Generic[T]):
    """A call that is answered by one value."""

    def __init__(self, operation: Operation, arguments: dict[str, Any], options: Options | None) -> None:
        self.operation = operation
        self.arguments = arguments
        self.options = options

    def steps(self, core: Core) -> Steps[Response[T]]:
        """Perform it."""
        prepared = prepare(self.operation, self.arguments, self.options, new_key)
        reply = yield from exchange(core, prepared)
        return Response(self.operation, reply, prepared.idempotency_key)


def warn_if_deprecated(operation: Operation) -> None:
    """Warn the caller's caller that an operation will go."""
    if operation.deprecated is not None:
        warnings.warn(operation.deprecated, DeprecationWarning, stacklevel=3)
