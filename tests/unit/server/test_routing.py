"""Connexion takes the skeletons that the compiler writes, which a start does not validate again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from connexion.exceptions import InvalidSpecification
from connexion.spec import Specification

SKELETON = Path(__file__).parents[3] / "models/contract/routes.json"


@pytest.fixture
def skeleton() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SKELETON.read_text())
    return read


def test_connexion_finds_the_skeleton_valid(skeleton: dict[str, Any]) -> None:
    assert len(Specification.from_dict(skeleton)["paths"]) == len(skeleton["paths"])


def test_connexion_finds_a_broken_skeleton_invalid(skeleton: dict[str, Any]) -> None:
    next(iter(skeleton["paths"].values())).update(get={"responses": 5})
    with pytest.raises(InvalidSpecification):
        Specification.from_dict(skeleton)
