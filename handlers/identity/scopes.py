"""The scopes that can be granted."""

from __future__ import annotations

from core.identity.scopes import CATALOGUE
from core.kernel.call import Call
from models.contract import identity


def scopes_list(call: Call[None, None]) -> identity.ScopeCatalogue:
    """List the scopes that can be granted."""
    return identity.ScopeCatalogue(crud=[], workflows=[], system=sorted(CATALOGUE), crud_api_enabled=False)
