"""Rate profiles: kept in the database, changed by administrators, followed by every worker within a second."""

from __future__ import annotations

import math
from typing import Literal
from uuid import UUID

import msgspec
import peewee

from core.kernel import clock, settings
from core.kernel.exchange import Algorithm, RateProfile
from core.kernel.ids import new_uuid
from core.kernel.operation import Operation
from core.kernel.problems import Conflict, Invalid, NotFound, Violation
from core.kernel.settings import Settings, SettingsError
from core.limits import generation, operations
from models.database import database, locked, read, write
from models.tables.limits import RateAssignment, RateProfileRow

BucketKey = Literal["user", "tenant", "address"]
_SECONDS_MAX = 31 * 86_400
_PER_SECOND_MAX = 1_000_000


class InvalidProfile(Invalid):
    code, title = "invalid_profile", "These figures make no rate profile"


class ProfileExists(Conflict):
    code, title = "profile_exists", "A rate profile with this name exists"


class ProfileAssigned(Conflict):
    code, title = "profile_assigned", "The rate profile is in use"


class ProfilePinned(Conflict):
    code, title = "profile_pinned", "ACCORD_RATE_PROFILES states the figures of this rate profile"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller states of a profile: the burst, with either the rate or the time in which a burst comes back."""

    requests_per_second: float | None = None
    burst: int | None = None
    window_seconds: float | None = None

    def resolve(self) -> RateProfile:
        """Return the limit and its window.

        Raises:
            InvalidProfile: they leave something open, contradict each other, or are too great.
        """
        rate, window = self.requests_per_second, self.window_seconds
        if (rate is None) == (window is None):
            raise _invalid("", "State requests_per_second or window_seconds, and one of them only.")
        if rate is None and self.burst is None:
            raise _invalid("/burst", "A window needs its burst.")
        burst = self.burst or max(1, math.ceil(rate or 0))
        seconds = window if window is not None else burst / (rate or 1)
        if not 0.001 <= seconds <= _SECONDS_MAX:
            raise _invalid("", f"The burst must come back within {_SECONDS_MAX} s, and take 1 ms at least.")
        if burst / seconds > _PER_SECOND_MAX:
            raise _invalid("", f"More than {_PER_SECOND_MAX} a second cannot be counted.")
        return RateProfile(limit=burst, window_seconds=seconds)


class NewProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile to be made."""

    name: str
    algorithm: Algorithm
    bucket_key: BucketKey
    figures: Figures
    description: str | None


def check_pinned(pinned: Settings, contract: list[Operation] | tuple[Operation, ...]) -> None:
    """Check that ACCORD_RATE_PROFILES names profiles that operations of the contract name.

    Raises:
        SettingsError: one is unknown.
    """
    known = {operation.rate_profile for operation in contract if operation.rate_profile}
    unknown = pinned.rate_profiles.keys() - known
    if unknown:
        names = ", ".join(sorted(known))
        raise SettingsError(f"ACCORD_RATE_PROFILES: unknown {', '.join(sorted(unknown))}; known: {names}")


def list_profiles() -> list[RateProfileRow]:
    """Return all profiles by name, with the figures that hold."""
    with read():
        return [_pinned(row) for row in RateProfileRow.select().order_by(RateProfileRow.name)]


def do_create_profile(new: NewProfile) -> RateProfileRow:
    """Make a profile.

    Raises:
        InvalidProfile, ProfileExists: see the classes.
    """
    figures, now = new.figures.resolve(), clock.now()
    with write():
        try:
            with database.atomic():
                row: RateProfileRow = RateProfileRow.create(
                    id=new_uuid(),
                    name=new.name,
                    algorithm=new.algorithm,
                    bucket_key=new.bucket_key,
                    burst=figures.limit,
                    window_us=_to_us(figures),
                    description=new.description,
                    created_at=now,
                    updated_at=now,
                )
        except peewee.IntegrityError as error:
            raise ProfileExists from error
        generation.bump()
    return row


def do_update_profile(
    profile_id: UUID, figures: Figures, *, description: str | msgspec.UnsetType | None
) -> RateProfileRow:
    """Change the figures of a profile, and its description unless that is UNSET.

    Raises:
        NotFound, InvalidProfile, ProfilePinned: see the classes.
    """
    resolved = figures.resolve()
    with write():
        row = _get_held(profile_id)
        if row.name in settings.current().rate_profiles:
            raise ProfilePinned
        row.burst, row.window_us, row.updated_at = resolved.limit, _to_us(resolved), clock.now()
        if description is not msgspec.UNSET:
            row.description = description
        row.save()
        generation.bump()
    return row


def do_delete_profile(profile_id: UUID) -> None:
    """Delete a profile that nothing uses.

    Raises:
        NotFound: there is none.
        ProfileAssigned: an assignment or the contract names it.
    """
    with write():
        row = _get_held(profile_id)
        if row.is_shipped or row.name in {operation.rate_profile for operation in operations.all_operations()}:
            raise ProfileAssigned("The contract names this rate profile.")
        if RateAssignment.select().where(RateAssignment.profile == profile_id).exists():
            raise ProfileAssigned("The rate profile is still assigned.")
        row.delete_instance()
        generation.bump()


def find_held(profile_id: UUID) -> RateProfileRow | None:
    """Return a profile, held to the end of the transaction, so that it is not used beside its deletion; None: there is none."""
    row: RateProfileRow | None = locked(RateProfileRow.select().where(RateProfileRow.id == profile_id)).first()
    return row


def _get_held(profile_id: UUID) -> RateProfileRow:
    row = find_held(profile_id)
    if row is None:
        raise NotFound("No such rate profile.")
    return row


def _pinned(row: RateProfileRow) -> RateProfileRow:
    """Put the figures of the settings in place of the stored ones."""
    pinned = settings.current().rate_profiles.get(row.name)
    if pinned is not None:
        row.burst, row.window_us = pinned.limit, _to_us(pinned)
    return row


def _to_us(figures: RateProfile) -> int:
    return max(1, round(figures.window_seconds * 1_000_000))


def _invalid(pointer: str, message: str) -> InvalidProfile:
    violation = Violation(pointer=f"/params{pointer}", location="body", rule="rate_profile", message=message)
    return InvalidProfile(message, errors=(violation,))
