"""The table of rate profiles: the contract's are known, the operator's take their place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.kernel.exchange import RateProfile
from core.kernel.operation import Contract
from core.kernel.settings import Settings, SettingsError
from core.limits.profiles import SHIPPED, rate_profiles
from handlers.service import CONTRACT_DIR
from tests.databases import read_settings


def test_every_profile_of_the_contract_is_known(settings: Settings) -> None:
    contract = msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract)
    named = {operation.rate_profile for operation in contract.operations}
    assert named - {None} == SHIPPED.keys()


def test_the_operators_profile_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    mine = read_settings(tmp_path, rate_profiles='{"default": {"limit": 3, "window_seconds": 0.5}}')
    assert rate_profiles(mine) == {**SHIPPED, "default": RateProfile(limit=3, window_seconds=0.5)}


@pytest.mark.parametrize(
    "text", ["x", '{"default": 3}', '{"default": {"limit": 0, "window_seconds": 1}}', '{"default": {"limit": 1}}']
)
def test_a_profile_that_cannot_be_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="ACCORD_RATE_PROFILES"):
        read_settings(tmp_path, rate_profiles=text)


def test_a_profile_that_no_operation_knows_stops_the_start(tmp_path: Path) -> None:
    mine = read_settings(tmp_path, rate_profiles='{"mine": {"limit": 3, "window_seconds": 1}}')
    with pytest.raises(SettingsError, match="mine"):
        rate_profiles(mine)
