"""The catalogue fits the tree: every edit applies, every reach exists, and there are enough of them."""

from __future__ import annotations

import pytest

from tests.mutants.campaign import ROOT
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant, StaleMutant
from tests.mutants.reaches import REACHES

MUTANTS_MIN = 45


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_an_edit_fits_its_file(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text()
    assert mutant.applied(source) != source
    assert mutant.line(ROOT) > 0
    assert set(mutant.reaches) <= set(REACHES)


@pytest.mark.parametrize("reach", REACHES)
def test_a_reach_names_tests_that_exist(reach: str) -> None:
    paths = [argument for argument in REACHES[reach] if argument.startswith("tests/")]
    assert paths
    assert all((ROOT / path.partition("::")[0]).exists() for path in paths)


def test_there_are_enough_mutants_and_their_names_differ() -> None:
    assert len(MUTANTS) >= MUTANTS_MIN
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize(("source", "new"), [("a = 1\na = 1\n", "a = 2"), ("b = 1\n", "a = 2"), ("a = 1\n", "a =")])
def test_an_edit_that_does_not_fit_is_refused(source: str, new: str) -> None:
    with pytest.raises(StaleMutant):
        Mutant("m", "f", "a = 1", new, ("streams",)).applied(source)
