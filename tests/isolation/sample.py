"""One request of an operation, and the same request naming something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

_PLACES = ("path", "body", "query")


@dataclass(frozen=True)
class Sample:
    """A request that its maker is served.

    names: the members of path, query or body that name objects; by default all of the path's. Each of them is made
    foreign and missing in turn. spends: the request ends the credential that it is sent with.
    """

    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    data: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    spends: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """Return the members that name objects."""
        return tuple(self.path) if self.names is None else self.names

    def value(self, name: str) -> str:
        """Return what a member names."""
        return str(getattr(self, self._place(name))[name])

    def naming(self, values: Mapping[str, str]) -> Sample:
        """Return the same request with other objects named."""
        changed: dict[str, Any] = {}
        for name, value in values.items():
            place = self._place(name)
            changed[place] = {**changed.get(place, getattr(self, place)), name: value}
        return replace(self, **changed)

    def parts(self) -> dict[str, Any]:
        """Return the request as the test client takes it."""
        return {
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "body": self.body,
            "data": self.data,
        }

    def _place(self, name: str) -> str:
        return next(
            place for place in _PLACES if isinstance(getattr(self, place), Mapping) and name in getattr(self, place)
        )


def missing_like(value: str) -> str:
    """Return a value of the same form that names nothing."""
    try:
        UUID(value)
    except ValueError:
        return value[::-1]
    return str(uuid4())
