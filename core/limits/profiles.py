"""The rate profiles that the contract names in x-rate-profile, and what the operator makes of them."""

from __future__ import annotations

from collections.abc import Mapping

from core.kernel.exchange import RateProfile
from core.kernel.settings import Settings, SettingsError

SHIPPED: Mapping[str, RateProfile] = {
    "default": RateProfile(limit=60_000, window_seconds=60),
    "conversation.post": RateProfile(limit=10, window_seconds=2),  # 5 a second, burst 10 (page 001)
}


def rate_profiles(settings: Settings) -> dict[str, RateProfile]:
    """Return every profile, those of ACCORD_RATE_PROFILES in place of the shipped ones.

    Raises:
        SettingsError: one is named there that no operation knows.
    """
    unknown = settings.rate_profiles.keys() - SHIPPED.keys()
    if unknown:
        raise SettingsError(f"ACCORD_RATE_PROFILES: unknown {', '.join(sorted(unknown))}; known: {', '.join(SHIPPED)}")
    return {**SHIPPED, **settings.rate_profiles}
