"""Rate profiles: what figures make one, and which the settings may pin."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.kernel.exchange import RateProfile
from core.kernel.operation import Contract
from core.kernel.settings import Settings, SettingsError, install
from core.limits.profiles import Figures, InvalidProfile, check_pinned, list_profiles
from handlers.service import CONTRACT_DIR
from tests.databases import read_settings

CONTRACT = msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract)
FIGURES: dict[str, tuple[Figures, RateProfile | None]] = {
    "a rate and a burst": (Figures(requests_per_second=5, burst=10), RateProfile(limit=10, window_seconds=2)),
    "a rate": (Figures(requests_per_second=2.5), RateProfile(limit=3, window_seconds=1.2)),
    "a slow rate": (Figures(requests_per_second=0.1), RateProfile(limit=1, window_seconds=10)),
    "a window": (Figures(burst=5, window_seconds=900), RateProfile(limit=5, window_seconds=900)),
    "nothing": (Figures(), None),
    "a burst alone": (Figures(burst=5), None),
    "a window without its burst": (Figures(window_seconds=60), None),
    "a rate and a window": (Figures(requests_per_second=1, burst=5, window_seconds=5), None),
    "a burst that takes too long": (Figures(requests_per_second=0.001, burst=100_000), None),
    "a window that is too short": (Figures(burst=1, window_seconds=0.0001), None),
    "more than can be counted": (Figures(burst=10_000_000, window_seconds=1), None),
}


@pytest.mark.parametrize(("figures", "profile"), FIGURES.values(), ids=FIGURES)
def test_figures_make_a_profile_or_are_refused(figures: Figures, profile: RateProfile | None) -> None:
    if profile is not None:
        assert figures.resolve() == profile
        return
    with pytest.raises(InvalidProfile) as caught:
        figures.resolve()
    assert caught.value.errors[0].pointer.startswith("/params")


def test_every_profile_of_the_contract_is_shipped(database: Settings) -> None:
    install(database)
    named = {operation.rate_profile for operation in CONTRACT.operations if operation.rate_profile}
    shipped = {row.name: row for row in list_profiles() if row.is_shipped}
    assert named <= shipped.keys()
    assert (shipped["runs.start"].burst, shipped["runs.start"].window_us) == (6, 60_000_000)


@pytest.mark.parametrize(
    "text", ["x", '{"default": 3}', '{"default": {"limit": 0, "window_seconds": 1}}', '{"default": {"limit": 1}}']
)
def test_a_profile_that_cannot_be_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="ACCORD_RATE_PROFILES"):
        read_settings(tmp_path, rate_profiles=text)


def test_a_pinned_profile_that_no_operation_knows_stops_the_start(tmp_path: Path) -> None:
    mine = read_settings(tmp_path, rate_profiles='{"mine": {"limit": 3, "window_seconds": 1}}')
    with pytest.raises(SettingsError, match="mine"):
        check_pinned(mine, CONTRACT.operations)
    check_pinned(read_settings(tmp_path), CONTRACT.operations)
