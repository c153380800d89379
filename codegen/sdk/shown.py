"""A call as documentation shows it, before any language has put it into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codegen.bundle import Bundle
from codegen.names import snake
from codegen.sdk.surface import Argument, Method, Resource

BASE_URL = "BASE_URL"
"""The environment variable that says where the server answers."""


@dataclass(frozen=True)
class Credential:
    """A credential that a call needs. from_cookie: the cookie whose value the header repeats."""

    scheme: str
    kind: str
    parameter: str
    from_cookie: str | None

    @property
    def variable(self) -> str:
        """Return the environment variable that holds it: TOKEN, API_KEY, SESSION_ID."""
        if self.kind == "bearer":
            return "TOKEN"
        name = self.from_cookie or (self.parameter if self.kind == "cookie" else self.scheme)
        return re.sub(r"\W", "_", snake(name)).upper()

    @property
    def cookie(self) -> str | None:
        """Return the cookie that it is kept in; None for what a program is given as a text."""
        return self.from_cookie or (self.parameter if self.kind == "cookie" else None)


@dataclass(frozen=True)
class Shown:
    """A call. arguments: argument → plain value. result: what it gives, as the contract names it; None for nothing."""

    bundle: Bundle
    resource: Resource
    method: Method
    arguments: Mapping[str, Any]
    credentials: tuple[Credential, ...]
    result: str | None

    def given(self, *locations: str) -> list[tuple[Argument, Any]]:
        """Return the arguments of some locations that have a value, and it."""
        return [
            (argument, self.arguments[argument.name])
            for argument in self.method.arguments
            if argument.location in locations and argument.name in self.arguments
        ]
