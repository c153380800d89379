"""The operations of the contract, as far as limits care: which there are, and which a path pattern means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.kernel.operation import Operation

ANY = "*"
_METERED = "/api/v1/"
_operations: tuple[Operation, ...] = ()


def install(operations: Iterable[Operation]) -> None:
    """Make these the operations of this process; done once by the composition root."""
    global _operations
    _operations = tuple(operations)


def all_operations() -> Sequence[Operation]:
    """Return what was installed."""
    return _operations


def is_metered(operation: Operation) -> bool:
    """Say whether an operation counts against its tenant's quota: the tenant surface does."""
    return operation.path.startswith(_METERED)


def matches(method: str, pattern: str, operation: Operation) -> bool:
    """Say whether an assignment means an operation.

    A segment of the pattern is text, or `*`, `:name` or `{name}` for any one segment; `/*` at the end takes one or more, a
    lone `*` everything. A parameter of the operation's own path is met by such a segment alone, not by one value of it.
    """
    if method not in {ANY, operation.method.upper()}:
        return False
    if pattern == ANY:
        return True
    wanted, own = pattern.split("/"), operation.path.split("/")
    if wanted[-1] == ANY and len(own) > len(wanted):
        own = own[: len(wanted)]
    return len(wanted) == len(own) and all(_is_wild(want) or want == has for want, has in zip(wanted, own, strict=True))


def specificity(method: str, pattern: str) -> tuple[bool, int, int, bool]:
    """Return what orders assignments that mean the same operation: the greatest holds."""
    segments = pattern.split("/")
    literal = sum(not _is_wild(segment) for segment in segments)
    return (pattern != ANY, literal, len(segments), method != ANY)


def _is_wild(segment: str) -> bool:
    return segment == ANY or segment.startswith((":", "{"))
