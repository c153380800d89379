"""A call as documentation shows it, before any language has put it into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codegen.bundle import Bundle
from codegen.sdk.surface import Argument, Credential, Method, Resource

BASE_URL = "BASE_URL"
"""The environment variable that says where the server answers."""


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
