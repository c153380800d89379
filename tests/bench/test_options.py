"""The command line of `make bench`: a run of everything, of some parts, and of what there is not."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import read_options


@pytest.mark.parametrize(("arguments", "parts"), [([], []), (["sql", "start"], ["sql", "start"])])
def test_parts_are_those_named_and_none_means_all(arguments: list[str], parts: list[str]) -> None:
    options = read_options([*arguments, "--rounds", "1"])
    assert (options.parts, options.rounds) == (parts, 1)


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_options(["htpt"])
    assert "no such part: htpt" in capsys.readouterr().err
