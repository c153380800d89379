"""Words and names that have no place in the project: paths of one machine, promises in comments, nameless modules."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from tests.structure.tree import ROOT, tracked

TEXT_SUFFIXES = {".py", ".yaml", ".yml", ".md", ".toml", ".txt", ".json", ".sh", ".jinja2", ".html", ""}
MACHINE_PATH = re.compile(r"(?<![\w./\-}])/(?:home|root|work|opt|Users|mnt)/[\w.]+")
PROMISE = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|HA" r"CK|X" r"XX)\b")
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "stuff"}
THIRD_PARTY = ("server/assets/", "LICENSE")


def _texts() -> list[str]:
    chosen = [path for path in tracked() if PurePosixPath(path).suffix in TEXT_SUFFIXES]
    return [path for path in chosen if not path.startswith(THIRD_PARTY)]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, PROMISE], ids=["machine path", "promise"])
def test_no_file_holds_it(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in _texts()
        for number, line in enumerate((ROOT / path).read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_module_is_named_for_what_it_holds() -> None:
    nameless = [path for path in tracked() if NAMELESS & set(PurePosixPath(path).with_suffix("").parts)]
    assert not nameless


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(MACHINE_PATH, "see /" + "home/ada/x"), (MACHINE_PATH, '"/' + 'root/x"'), (PROMISE, "# TO" + "DO later")],
)
def test_the_patterns_match(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
