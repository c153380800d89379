"""What holds for each operation now: compiled from profiles and assignments, and followed by their generation."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from core.kernel.exchange import Algorithm
from core.kernel.operation import Operation
from core.kernel.principal import Principal
from core.kernel.problems import Unavailable
from core.limits import generation, profiles
from core.limits.assignments import list_assignments
from core.limits.meters import Charge
from core.limits.operations import matches, specificity
from models.database import AWAY, read
from models.tables.limits import RateAssignment, RateProfileRow

_LOOK_SECONDS = 0.5
_NEVER = -1
_SUBSCRIBER_BITS = 64


class Rule(NamedTuple):
    """A profile as it is applied."""

    profile: str
    algorithm: Algorithm
    bucket_key: profiles.BucketKey
    limit: int
    window_us: int

    def charge(self, principal: Principal, client_address: str) -> Charge:
        """Return what a request of this caller draws on; who is not signed in is counted by address."""
        if principal.is_anonymous or self.bucket_key == "address":
            counted = _subscriber(client_address)
        else:
            counted = principal.key if self.bucket_key == "user" else f"tenant:{principal.tenant_id.hex}"
        return Charge(f"{self.profile}:{self.algorithm}:{counted}", self.algorithm, self.limit, self.window_us)


class Rules:
    """The rules of one worker; they are looked after a few times a second, by requests themselves."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = [operation for operation in operations if operation.rate_profile]
        self._limited = frozenset(operation.id for operation in self._operations)
        self._rules: Mapping[str, Rule] = {}
        self._generation = _NEVER
        self._changes = -1
        self._look_at = 0.0

    def find(self, operation_id: str) -> Rule | None:
        """Return what holds for an operation; None when nothing limits it.

        The contract declares no 429 for an operation without a rate profile, so no assignment reaches it.

        Raises:
            Unavailable: the database was away since this worker began, so that nothing is known yet.
        """
        if operation_id not in self._limited:
            return None
        if time.monotonic() >= self._look_at or self._changes != generation.changes_here():
            self._follow()
        return self._rules.get(operation_id)

    def _follow(self) -> None:
        changes = generation.changes_here()
        self._look_at = time.monotonic() + _LOOK_SECONDS
        try:
            with read():
                current = generation.current()
                if current != self._generation:
                    known = {row.name: _rule(row) for row in profiles.list_profiles()}
                    self._rules = dict(self._compiled(known, list_assignments()))
        except AWAY as error:
            if self._generation == _NEVER:
                raise Unavailable("The limits are not known yet.", retry_after_seconds=1, cause=str(error)) from error
            return  # what was known holds
        self._generation, self._changes = current, changes

    def _compiled(self, known: Mapping[str, Rule], assignments: Sequence[RateAssignment]) -> list[tuple[str, Rule]]:
        ordered = sorted(assignments, key=lambda row: specificity(row.method, row.path_pattern))
        found = []
        for operation in self._operations:
            name = operation.rate_profile
            for row in ordered:
                if row.profile.name in known and matches(row.method, row.path_pattern, operation):
                    name = row.profile.name  # a profile made since the others were read is known at the next look
            if name is not None:
                found.append((operation.id, known[name]))
        return found


def _rule(row: RateProfileRow) -> Rule:
    algorithm: Any = row.algorithm
    bucket_key: Any = row.bucket_key
    return Rule(row.name, algorithm, bucket_key, row.burst, row.window_us)


def _subscriber(address: str) -> str:
    """Return what a client cannot choose of its address: of an IPv6 address the network (RFC 6177)."""
    if ":" not in address:
        return f"address:{address}"
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return f"address:{address}"
    if parsed.ipv4_mapped is not None:
        return f"address:{parsed.ipv4_mapped}"
    return f"address:{int(parsed) >> _SUBSCRIBER_BITS:x}::/64"
