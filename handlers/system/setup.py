"""The two doors to the first administrator."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from core.identity.users import NewUser
from core.kernel.call import Call, RequestContext
from core.system import setup
from models.contract import system
from models.contract.parameters.system import SetupBootstrapParameters, SetupCreateParameters


def setup_get(call: Call[None, None]) -> system.SetupState:
    """Say whether the first administrator exists."""
    return system.SetupState(is_setup=setup.is_set_up())


def prepare_setup_create(call: Call[SetupCreateParameters, system.Setup]) -> str | None:
    """Hash the password, unless the door is closed."""
    return setup.prepare_set_up(_optional(call.parameters.x_setup_token), call.body.password)


def setup_create(call: Call[SetupCreateParameters, system.Setup]) -> None:
    """Make the first administrator."""
    new = NewUser(email=call.body.email, username=call.body.username, password_hash=_hash(call.context))
    try:
        setup.do_set_up(new)
    except setup.AlreadySetUp as closed:
        raise setup.SetupRepeated from closed


def prepare_setup_bootstrap(call: Call[SetupBootstrapParameters, system.Bootstrap]) -> str | None:
    """Hash the password, unless the door is closed."""
    return setup.prepare_set_up(_optional(call.parameters.x_setup_token), call.body.password)


def setup_bootstrap(call: Call[SetupBootstrapParameters, system.Bootstrap]) -> system.Bootstrapped:
    """Make the first superadmin."""
    body = call.body
    user = setup.do_set_up(
        NewUser(
            email=body.email,
            password_hash=_hash(call.context),
            phone_number=_optional(body.phone_number),
            first_name=_optional(body.first_name),
            last_name=_optional(body.last_name),
        )
    )
    return system.Bootstrapped(message="Bootstrap complete", user_id=user.id)


def _hash(context: RequestContext) -> str | None:
    """Return what the prepare step hashed; after None the guarded row refuses."""
    assert context.prepared is None or isinstance(context.prepared, str)
    return context.prepared


def _optional(value: str | UnsetType) -> str | None:
    return None if value is UNSET else value
