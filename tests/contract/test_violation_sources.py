"""The file:line of a violation is the line of the YAML that states the broken clause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.kernel.problems import Invalid, Violation
from tests.contract.instances import Instances
from tests.contract.test_decoder_agreement import Decoders
from tests.oracle import Asked, Oracle

ROOT = Path(__file__).parents[2]
DRAWN = 2_000
SERVERS_OWN = {"unknown_parameter"}
"""Rules of no line: the contract says what it has, not what it has not."""


def _line(violation: Violation) -> str:
    assert violation.source is not None, violation
    file, _, number = violation.source.partition(":")
    return (ROOT / file).read_text().splitlines()[int(number) - 1]


@pytest.fixture(scope="module")
def decoders() -> Decoders:
    return Decoders()


def _violations(decoders: Decoders, oracle: Oracle) -> Iterator[tuple[str, Violation]]:
    instances, operations = Instances(oracle, 11), list(oracle.operations.items())
    for number in range(DRAWN):
        name, operation = operations[number % len(operations)]
        asked, path = instances.request(operation)
        problem = decoders.refusal(name, asked, path)
        if isinstance(problem, Invalid):
            yield from ((name, violation) for violation in problem.errors)


def test_every_violation_names_the_line_of_its_clause(decoders: Decoders, oracle: Oracle) -> None:
    clauses: dict[tuple[str, str, str], Violation] = {}
    for name, violation in _violations(decoders, oracle):
        if violation.rule not in SERVERS_OWN:
            clauses.setdefault((name, violation.source or "", violation.rule), violation)
    wrong = {key: _line(violation) for key, violation in clauses.items() if not _states(violation)}
    assert wrong == {}
    assert len(clauses) >= 100
    assert {violation.location for violation in clauses.values()} == {"body", "path", "query", "header"}


def _states(violation: Violation) -> bool:
    """Say whether the line holds the keyword; a text that its style cannot have is told where the parameter is."""
    line = _line(violation)
    return f"{violation.rule}:" in line or (violation.rule in {"style", "required"} and "- " in line)


# (operation, body or query, pointer, rule, what its line reads): written down by hand from the contract
CLAUSES = {
    "body": ("conversations_create", b'{"title":5}', "/title", "type", "type: string"),
    "$ref": ("completions_create", b'{"model":"m","messages":[{"role":"x"}]}', "/messages/0/role", "enum", "enum: [system"),
    "nested": ("completions_create", b'{"model":"m","messages":[5]}', "/messages/0", "type", "type: object"),
    "member": ("completions_create", b'{"messages":[]}', "", "required", "required: [model, messages]"),
    "array": ("completions_create", b'{"model":"m","messages":[]}', "/messages", "minItems", "minItems: 1"),
    "oneOf": ("completions_create", b'{"model":"m","messages":[{"role":"user"}],"stream_options":5}', "/stream_options", "oneOf", "oneOf:"),
    "anyOf": ("completions_create", b'{"model":"m","messages":[{"role":"user"}],"stop":5}', "/stop", "anyOf", "anyOf:"),
}  # fmt: skip


@pytest.mark.parametrize("row", CLAUSES.values(), ids=CLAUSES)
def test_chosen_clauses_are_found_in_the_yaml(
    decoders: Decoders, oracle: Oracle, row: tuple[str, bytes, str, str, str]
) -> None:
    name, body, pointer, rule, text = row
    operation = oracle.operations[name]
    asked = Asked("POST", operation.path, {"Content-Type": "application/json"}, body)
    problem = decoders.refusal(name, asked, {})
    assert problem is not None
    found = [violation for violation in problem.errors if (violation.pointer, violation.rule) == (pointer, rule)]
    assert found, problem.errors
    assert text in _line(found[0])
