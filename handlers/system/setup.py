"""The two doors to the first administrator."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from core.identity.passwords import hash_password
from core.identity.users import NewUser
from core.kernel.call import Call
from core.system import setup
from models.contract import system
from models.contract.parameters.system import SetupBootstrapParameters, SetupCreateParameters


def setup_get(call: Call[None, None]) -> system.SetupState:
    """Say whether the first administrator exists."""
    return system.SetupState(is_setup=setup.is_set_up())


def prepare_setup_create(call: Call[SetupCreateParameters, system.Setup]) -> str:
    """Hash the password, unless the door is closed."""
    try:
        setup.check_open(_optional(call.parameters.x_setup_token))
    except setup.AlreadySetUp as closed:
        raise setup.SetupRepeated from closed
    return hash_password(call.body.password)


def setup_create(call: Call[SetupCreateParameters, system.Setup]) -> None:
    """Make the first administrator."""
    new = NewUser(email=call.body.email, username=call.body.username, password_hash=str(call.context.prepared))
    try:
        setup.do_set_up(new)
    except setup.AlreadySetUp as closed:
        raise setup.SetupRepeated from closed


def prepare_setup_bootstrap(call: Call[SetupBootstrapParameters, system.Bootstrap]) -> str:
    """Hash the password, unless the door is closed."""
    setup.check_open(_optional(call.parameters.x_setup_token))
    return hash_password(call.body.password)


def setup_bootstrap(call: Call[SetupBootstrapParameters, system.Bootstrap]) -> system.Bootstrapped:
    """Make the first superadmin."""
    body = call.body
    user = setup.do_set_up(
        NewUser(
            email=body.email,
            password_hash=str(call.context.prepared),
            phone_number=_optional(body.phone_number),
            first_name=_optional(body.first_name),
            last_name=_optional(body.last_name),
        )
    )
    return system.Bootstrapped(message="Bootstrap complete", user_id=user.id)


def _optional(value: str | UnsetType) -> str | None:
    return None if value is UNSET else value
