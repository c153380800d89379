"""What users can set and what they can be told is documented: settings, error codes, make targets."""

from __future__ import annotations

import importlib
import re

import pytest

from core.kernel import problems
from core.kernel.settings import SETTINGS
from tests.structure.tree import ROOT, modules

README = (ROOT / "README.md").read_text()
ERROR_TABLE = ROOT / "docs/errors.md"


def _rows(prefix: str, text: str) -> dict[str, list[str]]:
    """Return the table rows whose first cell begins with `prefix`: first cell without backticks → the other cells."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells[0].strip("`").startswith(prefix):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def problem_classes() -> list[type[problems.Problem]]:
    """Return every class of the tree, whichever area adds it."""
    for module in modules("core", "handlers", "server"):
        if not module.path.endswith(("__main__.py", "worker.py", "cli.py")):
            importlib.import_module(module.name)
    found: list[type[problems.Problem]] = []
    waiting = [problems.Problem]
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].__subclasses__()
    return [kind for kind in found if not kind.__module__.startswith("tests.")]


@pytest.mark.whole
def test_the_readme_lists_every_setting_as_it_is() -> None:
    documented = _rows("ACCORD_", README)
    expected = {row.variable: [f"`{row.default}`" if row.default else "", row.unit, row.help] for row in SETTINGS}
    assert documented == expected


@pytest.mark.whole
def test_every_error_code_is_documented_with_its_status() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \| (\d+) \| ", ERROR_TABLE.read_text(), re.MULTILINE))
    assert documented == {(kind.code, str(kind.status)) for kind in problem_classes()}


def test_an_area_never_invents_a_status() -> None:
    kernel = {kind.status for kind in problem_classes() if kind.__module__ == problems.__name__}
    foreign = [kind for kind in problem_classes() if kind.__module__ != problems.__name__]
    assert not [kind for kind in foreign if kind.status not in kernel or "status" in vars(kind)]


def test_the_problem_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"[├└]── (\w+)\s+(\w+)\s+(\d+)", problems.__doc__ or "")
    kernel = [kind for kind in problem_classes() if kind.__module__ == problems.__name__]
    real = {(kind.__name__, kind.code, str(kind.status)) for kind in kernel if kind is not problems.Problem}
    assert set(drawn) == real


def test_every_make_target_is_explained() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## .", text, re.MULTILINE))
    assert targets == explained
