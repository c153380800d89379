"""Bearer tokens: issued for a password, refreshed with a single winner, revoked alone or as a family."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from core.identity import access, biscuits, logins, rotation, scopes
from core.kernel import clock
from core.kernel.ids import new_uuid
from core.kernel.principal import Principal
from core.kernel.problems import AccountDisabled, Forbidden, Invalid, InvalidCredentials, Unauthenticated, Violation
from core.system import epoch
from models.database import write
from models.tables.identity import RevokedBlock, Token, TokenFamily

LIFETIME = timedelta(seconds=86_400)
ABSOLUTE = timedelta(days=30)
"""However often it is refreshed, a token ends so long after the login that began its family."""
ELEVATION = timedelta(minutes=15)


class NarrowedToken(Forbidden):
    code, title = "narrowed_token", "A token that its holder narrowed cannot be refreshed"


class ElevatedToken(Forbidden):
    code, title = "elevated_token", "An elevated token cannot be refreshed"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is wanted for. scopes None: all that the user holds. must_hold: none of them granted is a refusal."""

    scopes: Sequence[str] | None = None
    must_hold: bool = True
    pointer: str = "/scope"
    device_name: str | None = None


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A token to hand out."""

    token: str
    scopes: frozenset[str]
    expires_at: datetime

    @property
    def expires_in_seconds(self) -> int:
        return max(0, int((self.expires_at - clock.now()).total_seconds()))


def do_issue_token(verified: logins.Verified, wanted: Sequence[str] | None) -> Issued:
    """Start a token family for a verified user; `wanted` scopes that the user does not hold are left out.

    Raises:
        InvalidCredentials: the user is disabled, gone, or has another password by now.
        Invalid: the user holds none of the wanted scopes.
    """
    with write():
        return _start_family(_admit(verified), Wish(scopes=wanted))


def do_issue_personal_token(
    verified: logins.Verified, abilities: Sequence[str] | None, device_name: str | None
) -> Issued:
    """Start a token family for a device; without abilities it gets those that a device commonly needs.

    Raises:
        InvalidCredentials, Invalid: see `do_issue_token`.
    """
    wish = Wish(
        scopes=scopes.PERSONAL if abilities is None else abilities,
        must_hold=abilities is not None,
        pointer="/abilities",
        device_name=device_name,
    )
    with write():
        return _start_family(_admit(verified), wish)


def do_issue_confirmed_token(verified: logins.Verified) -> Issued:
    """Start a token family for a user whom an identity provider confirmed, with all that the user holds.

    Raises:
        InvalidCredentials, AccountDisabled: see `logins.access_verified`.
    """
    with write():
        return _start_family(logins.access_verified(verified), Wish())


def do_elevate(principal: Principal, verified: logins.Verified, abilities: Sequence[str]) -> Issued:
    """Issue a short token that may hold elevated scopes, in the caller's tenant; what the user may not do is left out.

    Raises:
        InvalidCredentials, AccountDisabled: see `logins.access_verified`.
        Invalid: the user may do nothing of it.
    """
    now = clock.now()
    with write():
        user = logins.access_verified(verified).user
        granted = scopes.elevate(abilities, access.get_scopes(user.id, principal.tenant_id))
        if not granted:
            raise _nothing_granted("/abilities")
        family = TokenFamily.create(
            id=new_uuid(),
            user=user,
            tenant=principal.tenant_id,
            scopes=" ".join(sorted(granted)),
            is_elevated=True,
            created_at=now,
            expires_at=now + ELEVATION,
        )
        return _issue(family, granted, now + ELEVATION)


def do_refresh_token(token: str) -> Issued:
    """Replace a token; of parallel callers one wins, and the others are given the winner's token within 10 s.

    Raises:
        Unauthenticated: the token is no good, or was replaced longer ago, which revokes its family.
        NarrowedToken, ElevatedToken: see the classes.
    """
    presented = biscuits.present(token)
    if presented is None:
        raise Unauthenticated
    if presented.is_narrowed:
        raise NarrowedToken
    with write():
        issued = _rotate(token, presented.revocation_ids[0]) or _repeat(token, presented.revocation_ids[0])
    if issued is None:
        raise Unauthenticated("The token is over.")
    return issued


def do_revoke_token(credential_id: str) -> None:
    """Revoke what a principal's `credential_id` names: a family, or one narrowed token and all narrowed from it."""
    family_id, *appended = credential_id.split("/")
    with write():
        if appended:
            block = {"revocation_id": appended[-1], "family": family_id, "revoked_at": clock.now()}
            RevokedBlock.insert(block).on_conflict_ignore().execute()
        else:
            _revoke_family(UUID(family_id))
        epoch.bump()


def _admit(verified: logins.Verified) -> logins.Admitted:
    """Answer every refusal alike, a disabled account included (page 002)."""
    try:
        return logins.access_verified(verified)
    except AccountDisabled as error:
        raise InvalidCredentials(cause="account disabled") from error


def _start_family(admitted: logins.Admitted, wish: Wish) -> Issued:
    now = clock.now()
    granted = scopes.grant(wish.scopes, access.get_scopes(admitted.user.id, admitted.tenant_id))
    if wish.scopes is not None and wish.must_hold and not granted:
        raise _nothing_granted(wish.pointer)
    family = TokenFamily.create(
        id=new_uuid(),
        user=admitted.user,
        tenant=admitted.tenant_id,
        scopes=None if wish.scopes is None else " ".join(sorted(granted)),
        device_name=wish.device_name,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return _issue(family, granted, now + LIFETIME)


def _nothing_granted(pointer: str) -> Invalid:
    message = "The user holds none of these scopes."
    return Invalid(
        message, errors=(Violation(pointer=pointer, location="body", rule="scope_not_held", message=message),)
    )


def _issue(family: TokenFamily, granted: frozenset[str], expires_at: datetime) -> Issued:
    minted = biscuits.mint(user_id=family.user_id, tenant_id=family.tenant_id, scopes=granted, expires_at=expires_at)
    Token.create(revocation_id=minted.revocation_id, family=family, expires_at=expires_at)
    return Issued(token=minted.token, scopes=granted, expires_at=expires_at)


def _rotate(token: str, revocation_id: str) -> Issued | None:
    now = clock.now()
    won = Token.update(replaced_at=now).where(Token.revocation_id == revocation_id, Token.replaced_at.is_null())
    if not won.execute():
        return None
    family = Token.get_by_id(revocation_id).family
    if family.revoked_at is not None:
        return None
    if family.is_elevated:
        raise ElevatedToken
    wanted = None if family.scopes is None else family.scopes.split()
    granted = scopes.grant(wanted, access.get_scopes(family.user_id, family.tenant_id))
    issued = _issue(family, granted, min(now + LIFETIME, family.created_at + ABSOLUTE))
    family.expires_at = issued.expires_at
    family.save(only=[TokenFamily.expires_at])
    rotation.keep_successor(token, msgspec.json.encode(issued).decode())
    epoch.bump()
    return issued


def _repeat(token: str, revocation_id: str) -> Issued | None:
    row = Token.get_or_none(Token.revocation_id == revocation_id)
    if row is None or row.family.revoked_at is not None:
        return None
    kept = rotation.find_successor(token)
    if kept is None:
        _revoke_family(row.family_id)
        epoch.bump()
        return None
    return msgspec.json.decode(kept, type=Issued)


def _revoke_family(family_id: UUID) -> None:
    TokenFamily.update(revoked_at=clock.now()).where(TokenFamily.id == family_id).execute()
