"""Words of the contract stay readable as docstrings: prose flows, lists, code and tables keep their lines."""

from __future__ import annotations

from codegen.sdk.python.text import docstring

_LONG = " ".join(["word"] * 30)


def test_prose_broken_in_the_contract_flows_to_the_width_of_the_docstring() -> None:
    text = docstring([f"{_LONG}\n{_LONG}\n\nAnother."], 8)
    lines = text.splitlines()
    assert [line.strip() for line in lines[-3:]] == ["", "Another.", '"""']
    prose = lines[: lines.index("")]
    assert all(90 < len(line) <= 110 for line in prose[:-1])
    assert " ".join(" ".join(prose).replace('"""', "").split()) == f"{_LONG} {_LONG}"


def test_what_begins_anew_keeps_its_line() -> None:
    written = "Choose:\n- one\n- two\n1. first\n| a | b |\n```\nx = 1\ny = 2\n```\n# Head\nThe\nend.".splitlines()
    lines = [line.strip() for line in docstring(["Sum.", "\n".join(written)], 0).splitlines()]
    assert lines == ['"""Sum.', "", *written[:-2], "The end.", '"""']
