"""The password of a tenant's assets."""

from __future__ import annotations

from core.identity import asset_auth
from core.kernel.call import Call
from models.contract import identity
from models.contract.parameters.identity import AssetAuthSetPasswordParameters


def prepare_asset_auth_set_password(
    call: Call[AssetAuthSetPasswordParameters, identity.AssetPasswordSet],
) -> str:
    """Judge and hash the password."""
    body, tenant_id = call.body, call.parameters.tenant_id
    password, confirmation = body.new_password, body.confirm_password
    return asset_auth.prepare_password(call.principal, tenant_id, password=password, confirmation=confirmation)


def asset_auth_set_password(
    call: Call[AssetAuthSetPasswordParameters, identity.AssetPasswordSet],
) -> identity.AssetPasswordAnswer:
    """Set the password of the tenant's assets."""
    assert isinstance(call.context.prepared, str)
    asset_auth.do_set_password(call.parameters.tenant_id, call.context.prepared)
    return identity.AssetPasswordAnswer(success=True)
