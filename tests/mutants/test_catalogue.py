"""The catalogue fits the tree: every edit applies, every reach exists, and there are enough of them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.mutants.campaign import ROOT, is_of
from tests.mutants.catalogue import MUTANTS
from tests.mutants.ledger import Keys, Ledger
from tests.mutants.mutant import Mutant, StaleMutant
from tests.mutants.reaches import REACHES
from tests.mutants.sample import draw

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


def test_a_sample_leaves_no_group_out_and_is_drawn_again_by_its_seed() -> None:
    drawn = draw(MUTANTS, size=40, seed=1)
    assert 40 <= len(drawn) < len(MUTANTS)
    assert {mutant.group for mutant in drawn} == {mutant.group for mutant in MUTANTS}
    assert drawn == draw(MUTANTS, size=40, seed=1) != draw(MUTANTS, size=40, seed=2)


def test_a_ledger_remembers_across_runs_and_its_keys_change_with_what_they_depend_on(tmp_path: Path) -> None:
    names = ["core/a.py", "tests/test_a.py", "tests/test_b.py"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a = 1\n")
    key = Keys(tmp_path, names).of_tests("tests/test_a.py")
    Ledger(tmp_path / "ledger").write(key, {"seconds": 1.0})
    assert Ledger(tmp_path / "ledger").find(key) == {"key": key, "seconds": 1.0}
    (tmp_path / "tests/test_b.py").write_text("b = 2\n")
    assert Keys(tmp_path, names).of_tests("tests/test_a.py") == key
    for name in names[:2]:
        (tmp_path / name).write_text("a = 2\n")
        assert Keys(tmp_path, names).of_tests("tests/test_a.py") != key
        (tmp_path / name).write_text("a = 1\n")


@pytest.mark.parametrize(
    ("classname", "argument", "expected"),
    [
        ("tests.unit.test_a", "tests/unit/test_a.py", True),
        ("tests.unit.test_a.TestOfRedis", "tests/unit/test_a.py", True),
        ("tests.unit.test_a", "tests/unit/test_a.py::test_it", True),
        ("tests.unit.test_a", "tests/unit/test_a.py::test_other", False),
        ("tests.unit.test_ab", "tests/unit/test_a.py", False),
    ],
)
def test_a_case_is_counted_for_the_argument_that_names_it(classname: str, argument: str, expected: bool) -> None:
    case = ElementTree.Element("testcase", classname=classname, name="test_it[sqlite]")
    assert is_of(case, argument) is expected
