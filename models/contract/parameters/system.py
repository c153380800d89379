# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class SetupBootstrapParameters(Struct, kw_only=True, frozen=True):
    """Parameters of setup_bootstrap."""

    x_setup_token: str | UnsetType = UNSET


class SetupCreateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of setup_create."""

    x_setup_token: str | UnsetType = UNSET


class WellKnownGetParameters(Struct, kw_only=True, frozen=True):
    """Parameters of well_known_get."""

    path: str
