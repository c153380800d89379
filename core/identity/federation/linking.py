"""Who a person that a provider confirmed is here: known by subject, linked by a verified e-mail address, or new."""

from __future__ import annotations

from uuid import UUID

from core.identity import access, logins, users
from core.identity.federation.exchange import Profile
from core.identity.federation.problems import DomainNotAllowed, EmailNotVerified, LinkNotAllowed, ProviderUnavailable
from core.identity.federation.providers import Provider
from core.kernel import clock
from core.kernel.principal import ROOT_TENANT_ID
from models.database import write
from models.tables.federation import FederatedIdentity
from models.tables.identity import Membership, Role, User


def do_identify(provider: Provider, profile: Profile, tenant_id: UUID = ROOT_TENANT_ID) -> logins.Verified:
    """Return the user, whom a first login links or makes; whether the user may log in is decided when a credential is made.

    tenant_id: where the login is to lead. Whoever runs a tenant may make an account for anybody's address, so nobody is led
    to a tenant without having asked for it, and everybody whom the provider confirms is taken into the root workspace.

    Raises:
        DomainNotAllowed: the provider's domains do not take the address.
        EmailNotVerified: a first login without an address that the provider vouches for.
        LinkNotAllowed: a first login to an account of a tenant's that has a password.
    """
    _check_domain(provider, profile)
    with write():
        user = _find_linked(profile) or _link(provider, profile)
        if tenant_id == ROOT_TENANT_ID and not _is_of_root(user):
            users.do_assign_role(user.id, _default_role_id(provider), ROOT_TENANT_ID)
    return logins.Verified(user.id, user.password_hash, tenant_id)


def _check_domain(provider: Provider, profile: Profile) -> None:
    if not provider.allowed_domains:
        return
    if profile.email is None or not profile.is_email_verified:
        raise EmailNotVerified
    if profile.email.rpartition("@")[2] not in provider.allowed_domains:
        raise DomainNotAllowed


def _find_linked(profile: Profile) -> User | None:
    row = FederatedIdentity.get_or_none(
        FederatedIdentity.authority == profile.authority, FederatedIdentity.subject == profile.subject
    )
    return row.user if row else None


def _link(provider: Provider, profile: Profile) -> User:
    """Link the subject to the user of its address, whom it makes if there is none."""
    if profile.email is None or not profile.is_email_verified:
        raise EmailNotVerified
    user = _find_by_email(profile.email) or _make(provider, profile)
    _check_linkable(user)
    users.hold_user(user.id)
    identity = {"authority": profile.authority, "subject": profile.subject, "user": user, "linked_at": clock.now()}
    FederatedIdentity.insert(identity).on_conflict_ignore().execute()
    User.update(federated_provider=provider.name).where(User.id == user.id, User.federated_provider.is_null()).execute()
    linked = _find_linked(profile)
    assert linked is not None
    return linked


def _check_linkable(user: User) -> None:
    """Refuse to lead someone into an account that another may have made and has the password of.

    Whoever runs a tenant may give an account anybody's address, which nothing proves; users of the root workspace are made by
    the installation's administrators, and without a password nobody waits inside.
    """
    if user.password_hash is not None and not _is_of_root(user):
        raise LinkNotAllowed


def _is_of_root(user: User) -> bool:
    """Say whether the user has an account of the root workspace, be it a disabled one."""
    return bool(Membership.select().where(Membership.user == user, Membership.tenant == ROOT_TENANT_ID).exists())


def _make(provider: Provider, profile: Profile) -> User:
    """Make the user; of two first logins at once, the slower one finds the faster one's."""
    assert profile.email is not None
    new = users.NewUser(email=profile.email, first_name=profile.first_name, last_name=profile.last_name)
    try:
        return users.do_create_user(new, ROOT_TENANT_ID, role_id=_default_role_id(provider))
    except users.UserExists:
        found = _find_by_email(profile.email)
        if found is None:
            raise
        return found


def _default_role_id(provider: Provider) -> UUID:
    if provider.default_role is None:
        return access.MEMBER_ROLE_ID
    role: Role | None = Role.get_or_none(Role.name == provider.default_role, ~Role.is_system)
    if role is None:
        raise ProviderUnavailable(
            f"{provider.name}: default_role {provider.default_role!r} is no role that can be given"
        )
    return role.id


def _find_by_email(email: str) -> User | None:
    user: User | None = User.get_or_none(User.email == email)
    return user
