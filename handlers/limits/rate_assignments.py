"""Administration of rate assignments."""

from __future__ import annotations

from typing import Any, Literal

from core.kernel.call import Call, Reply
from core.limits import assignments
from models.contract import limits
from models.contract.parameters.limits import RateAssignmentsDeleteParameters, RateAssignmentsListParameters
from models.tables.limits import RateAssignment


def rate_assignments_list(call: Call[RateAssignmentsListParameters, None]) -> list[limits.RateAssignment]:
    """List the assignments."""
    first, size = call.parameters.offset, call.parameters.limit
    return [_assignment(row) for row in assignments.list_assignments()[first : first + size]]


def rate_assignments_create(
    call: Call[None, limits.RateAssignmentCreate],
) -> Reply[limits.RateAssignment, Literal[201]]:
    """Assign a rate profile to operations."""
    body = call.body
    return Reply(_assignment(assignments.do_assign(body.profile_id, body.method, body.path)), 201)


def rate_assignments_delete(call: Call[RateAssignmentsDeleteParameters, None]) -> None:
    """Delete an assignment."""
    assignments.do_delete_assignment(call.parameters.id)


def _assignment(row: RateAssignment) -> limits.RateAssignment:
    method: Any = row.method
    return limits.RateAssignment(
        id=row.id,
        profile_id=row.profile_id,
        profile_name=row.profile.name,
        method=method,
        path_pattern=row.path_pattern,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
