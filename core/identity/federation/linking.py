"""Who a person that a provider confirmed is here: known by subject, linked by a verified e-mail address, or new."""

from __future__ import annotations

from core.identity import access, logins, users
from core.identity.federation.exchange import Profile
from core.identity.federation.problems import DomainNotAllowed, EmailNotVerified, LinkNotAllowed, ProviderUnavailable
from core.identity.federation.providers import Provider
from core.kernel import clock
from core.kernel.principal import ROOT_TENANT_ID
from models.database import write
from models.tables.federation import FederatedIdentity
from models.tables.identity import Membership, Role, User, UserRole

_DEFAULT_ROLE = "member"


def do_identify(provider: Provider, profile: Profile) -> logins.Verified:
    """Return the user, whom a first login links or makes; whether the user may log in is decided when a credential is made.

    Raises:
        DomainNotAllowed: the provider's domains do not take the address.
        EmailNotVerified: a first login without an address that the provider vouches for.
        LinkNotAllowed: a first login to an account of a tenant's that has a password.
    """
    _check_domain(provider, profile)
    with write():
        user = _find_linked(profile) or _link(provider, profile)
        _give_home(provider, user)
    return logins.Verified(user.id, user.password_hash)


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
    is_of_root = Membership.select().where(Membership.user == user, Membership.tenant == ROOT_TENANT_ID).exists()
    if user.password_hash is not None and not is_of_root:
        raise LinkNotAllowed


def _make(provider: Provider, profile: Profile) -> User:
    """Make the user; of two first logins at once, the slower one finds the faster one's."""
    assert profile.email is not None
    new = users.NewUser(email=profile.email, first_name=profile.first_name, last_name=profile.last_name)
    try:
        user = users.do_create_user(new, ROOT_TENANT_ID)
    except users.UserExists:
        found = _find_by_email(profile.email)
        if found is None:
            raise
        return found
    _give_role(user, provider)
    return user


def _give_home(provider: Provider, user: User) -> None:
    """Take a user whom no tenant has any more into the root workspace, as anybody whom the provider confirms.

    Whoever runs a tenant may make an account for anybody's address and disable it; that ends what the user may do there, and
    keeps nobody out of the service. An account of the root workspace that was disabled stays so.
    """
    if access.find_home_tenant(user.id) is not None:
        return
    users.hold_user(user.id)  # of two logins at once one finds what the other made
    if Membership.select().where(Membership.user == user, Membership.tenant == ROOT_TENANT_ID).exists():
        return
    Membership.create(tenant=ROOT_TENANT_ID, user=user, created_at=clock.now())
    UserRole.insert(user=user, tenant=ROOT_TENANT_ID, role=access.MEMBER_ROLE_ID).on_conflict_ignore().execute()
    _give_role(user, provider)


def _give_role(user: User, provider: Provider) -> None:
    """Replace the role in the root workspace, which every new user has there, by the provider's."""
    name = provider.default_role or _DEFAULT_ROLE
    if name == _DEFAULT_ROLE:
        return
    role = Role.get_or_none(Role.name == name)
    if role is None or role.is_system:
        raise ProviderUnavailable(f"{provider.name}: default_role {name!r} is no role that can be given")
    UserRole.delete().where(UserRole.user == user, UserRole.tenant == ROOT_TENANT_ID).execute()
    UserRole.create(user=user, tenant=ROOT_TENANT_ID, role=role)


def _find_by_email(email: str) -> User | None:
    user: User | None = User.get_or_none(User.email == email)
    return user
