"""Assignments: which rate profile holds for the operations of a method and a path pattern, in place of the contract's own."""

from __future__ import annotations

from uuid import UUID

from core.kernel import clock
from core.kernel.ids import new_uuid
from core.kernel.problems import Invalid, NotFound, Violation
from core.limits import generation, operations, profiles
from models.database import read, write
from models.tables.limits import RateAssignment, RateProfileRow


class InvalidAssignment(Invalid):
    code, title = "invalid_assignment", "This assignment means nothing"


def list_assignments() -> list[RateAssignment]:
    """Return all assignments with their profiles, by path and method."""
    rows = RateAssignment.select(RateAssignment, RateProfileRow).join(RateProfileRow)
    with read():
        return list(rows.order_by(RateAssignment.path_pattern, RateAssignment.method))


def do_assign(profile_id: UUID, method: str, pattern: str) -> RateAssignment:
    """Assign a profile to a method and pattern, in place of the one that this pair had.

    Raises:
        InvalidAssignment: there is no such profile, or no operation with limits that the pair means.
    """
    limited = (operation for operation in operations.all_operations() if operation.rate_profile)
    if not any(operations.matches(method, pattern, operation) for operation in limited):
        raise _invalid("/path", f"No operation that may be limited answers {method} {pattern}.")
    now = clock.now()
    with write():
        if not profiles.find_held(profile_id):
            raise _invalid("/profile_id", "No such rate profile.")
        RateAssignment.insert(
            id=new_uuid(), profile=profile_id, method=method, path_pattern=pattern, created_at=now, updated_at=now
        ).on_conflict(
            conflict_target=(RateAssignment.method, RateAssignment.path_pattern),
            update={RateAssignment.profile: profile_id, RateAssignment.updated_at: now},
        ).execute()
        generation.bump()
        pair = (RateAssignment.method == method) & (RateAssignment.path_pattern == pattern)
        row: RateAssignment = (
            RateAssignment.select(RateAssignment, RateProfileRow).join(RateProfileRow).where(pair).get()
        )
    return row


def do_delete_assignment(assignment_id: UUID) -> None:
    """Delete an assignment; the contract's own profile holds again.

    Raises:
        NotFound: there is none.
    """
    with write():
        if not RateAssignment.delete().where(RateAssignment.id == assignment_id).execute():
            raise NotFound("No such assignment.")
        generation.bump()


def _invalid(pointer: str, message: str) -> InvalidAssignment:
    violation = Violation(pointer=pointer, location="body", rule="assignment", message=message)
    return InvalidAssignment(message, errors=(violation,))
