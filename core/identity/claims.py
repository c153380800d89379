"""E-mail addresses that nothing proves: of whoever registered a tenant, until the owner of the address comes.

Anybody may register with anybody's address, and the key that registration gives acts as the user of that address. So the
address never leads its owner into that user ("pre-hijacking", Sudhodanan and Paverd, 2022): whoever proves it takes it, and
the tenant, its key and what they made stay with who registered. Invitations of other tenants went to the address, not to
whoever held it, and follow it.
"""

from __future__ import annotations

from core.kernel.principal import ROOT_TENANT_ID
from core.system import epoch
from models.tables.identity import Membership, User, UserRole

_NOWHERE = "unproven.invalid"  # a domain that can never be (RFC 2606)


def is_unproven(user: User) -> bool:
    """Say whether the user's address is no more than what somebody wrote when registering a tenant."""
    return user.registered_tenant_id is not None


def release(user: User) -> None:
    """Take the address from a user who never proved it, inside the caller's transaction, and give one that is nobody's."""
    User.update(email=f"{user.id.hex}@{_NOWHERE}").where(User.id == user.id).execute()


def pass_on(former: User, owner: User) -> None:
    """Give the owner of an address the accounts that other tenants made for it, inside the caller's transaction."""
    stays = [former.registered_tenant_id, ROOT_TENANT_ID]
    invited = Membership.update(user=owner).where(Membership.user == former, Membership.tenant.not_in(stays)).execute()
    if invited:
        UserRole.update(user=owner).where(UserRole.user == former, UserRole.tenant.not_in(stays)).execute()
        epoch.bump()
