"""Our decoder and openapi-core give the same verdict on requests drawn from the contract, valid and broken.

`make oracle` draws 100,000; `make test` a sample. A difference that is wanted is a row of ACCEPTED with its reason.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from core.kernel.operation import Contract
from core.kernel.problems import Invalid, Problem, Violation
from server.request import Request
from server.router import names_of
from server.schemas import Schemas
from server.view import Decode, compile_decode
from tests.client import environ_of
from tests.contract.instances import Instances
from tests.oracle import Asked, Operation, Oracle

CONTRACT_DIR = Path(__file__).parent.parent.parent / "models/contract"
SAMPLE = 1_500
LONG = int(os.environ.get("ACCORD_TEST_ORACLE_INSTANCES", "100000"))


@dataclass(frozen=True)
class Drawn:
    """A drawn request: what was asked, the text of its path parameters, and the members that a form may have."""

    asked: Asked
    path: dict[str, str]
    form: frozenset[str] | None

    def value(self, violation: Violation) -> Any:
        """Return the value that a violation points at, as it was sent."""
        found = self._whole(violation.location)
        for key in (part.replace("~1", "/").replace("~0", "~") for part in violation.pointer.split("/")[1:]):
            found = found[int(key)] if isinstance(found, list) else found[key]
        return found

    def _whole(self, location: str) -> Any:
        return {
            "path": lambda: self.path,
            "query": lambda: dict(parse_qsl(urlsplit(self.asked.target).query, keep_blank_values=True)),
            "header": lambda: self.asked.headers,
            "body": lambda: self.members() if self.form is not None else json.loads(self.asked.body),
        }[location]()

    def members(self) -> dict[str, str]:
        """Return the members of the form."""
        return dict(parse_qsl(self.asked.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Accepted:
    """A difference on purpose: openapi-core lets pass what breaks the contract, and this says which values in which way."""

    reason: str
    explains: Callable[[Drawn, Violation], bool]


def _ends_in_newline(drawn: Drawn, violation: Violation) -> bool:
    told = re.fullmatch(r'value does not match "(.*)"', violation.message, re.DOTALL)
    if violation.rule != "pattern" or told is None:
        return False
    value = drawn.value(violation)
    matches = [re.search(told[1], text) for text in (value, value.removesuffix("\n"))]
    return bool(value.endswith("\n") and all(matches))


def _is_python_number(drawn: Drawn, violation: Violation) -> bool:
    if violation.location == "body" or violation.rule != "type":
        return False
    is_number = violation.message == 'value is not of type "integer"'
    return is_number and re.fullmatch(r"-?0[0-9]+", drawn.value(violation)) is not None


def _is_lax_email(drawn: Drawn, violation: Violation) -> bool:
    is_email = violation.rule == "format" and violation.message == 'value is not a "email"'
    return is_email and "@" in drawn.value(violation)


def _is_unknown_form_member(drawn: Drawn, violation: Violation) -> bool:
    if drawn.form is None or violation.pointer or violation.rule != "additionalProperties":
        return False
    names, unknown = re.findall(r"'([^']*)'", violation.message), set(drawn.members()) - drawn.form
    return set(names) == unknown and len(unknown) > 0


ACCEPTED = (
    Accepted("ECMA-262's $ is the end of the text; Python's also matches before a final newline", _ends_in_newline),
    Accepted("JSON has no 01; openapi-core casts a parameter with Python's int()", _is_python_number),
    Accepted("python-jsonschema's email asks for an @ and nothing else", _is_lax_email),
    Accepted("openapi-core reads only the declared members of a form", _is_unknown_form_member),
)


def _accepted(drawn: Drawn, violations: tuple[Violation, ...]) -> str | None:
    """Return the reason of the difference when every violation has one."""
    reasons = [next((row.reason for row in ACCEPTED if row.explains(drawn, v)), None) for v in violations]
    return reasons[0] if reasons and all(reasons) else None


class Decoders:
    """The server's decoders of a compiled contract."""

    def __init__(self) -> None:
        contract = msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract)
        bundle = msgspec.json.decode((CONTRACT_DIR / "openapi.json").read_bytes())
        schemas = Schemas(bundle, CONTRACT_DIR / "origins.json")
        self._decoders: dict[str, Decode] = {op.id: compile_decode(op, schemas) for op in contract.operations}
        self._names = {op.id: names_of(op.path) for op in contract.operations}

    def refusal(self, operation_id: str, asked: Asked, path: dict[str, str]) -> Problem | None:
        """Return why a request is refused, or None when it is accepted."""
        environ = environ_of(asked)
        environ["wsgi.input"] = io.BytesIO(asked.body)
        values = tuple(path[name] for name in self._names[operation_id])
        try:
            self._decoders[operation_id](Request(environ, "127.0.0.1", False), values)
        except Problem as problem:
            return problem
        return None


@pytest.fixture(scope="module")
def decoders() -> Decoders:
    return Decoders()


def _differences(decoders: Decoders, oracle: Oracle, count: int, seed: int) -> Iterator[tuple[str, str | None]]:
    """Draw `count` requests; yield (verdict, unexplained difference or None) of each."""
    instances = Instances(oracle, seed)
    operations = [op for op in oracle.operations.values() if _has_input(op.spec, op.item)]
    for number in range(count):
        operation = operations[number % len(operations)]
        asked, path = instances.request(operation)
        ours, theirs = decoders.refusal(operation.id, asked, path), oracle.judge_request(asked)
        verdict = "refused" if ours else "accepted"
        if bool(ours) == bool(theirs):
            yield verdict, None
            continue
        violations = ours.errors if isinstance(ours, Invalid) else ()
        if not theirs and (reason := _accepted(Drawn(asked, path, _form(operation, oracle)), violations)) is not None:
            yield reason, None
        else:
            told = [f"{v.location}{v.pointer} {v.rule}: {v.message}" for v in violations] or [str(ours)]
            yield verdict, f"{operation.id}: {asked}\n  ours: {told if ours else 'accepts'}\n  openapi-core: {theirs}"


def _form(operation: Operation, oracle: Oracle) -> frozenset[str] | None:
    """Return the declared members of an operation's form, or None when it takes none."""
    body = oracle.resolve(operation.spec.get("requestBody", {}))
    media = body.get("content", {}).get("application/x-www-form-urlencoded")
    return None if media is None else frozenset(oracle.resolve(media["schema"])["properties"])


def _has_input(spec: dict[str, Any], item: dict[str, Any]) -> bool:
    return bool(spec.get("parameters") or item.get("parameters") or spec.get("requestBody"))


def _assert_agreement(decoders: Decoders, oracle: Oracle, count: int, seed: int) -> None:
    verdicts: Counter[str] = Counter()
    found: list[str] = []
    for verdict, difference in _differences(decoders, oracle, count, seed):
        verdicts[verdict] += 1
        if difference:
            found.append(difference)
    print(f"{count} instances: {dict(verdicts)}, {len(found)} disagreements")
    assert not found, f"{len(found)} disagreements\n" + "\n".join(found[:20])
    if count >= LONG:
        assert all(verdicts[row.reason] for row in ACCEPTED), "an accepted difference that does not occur"
    assert min(verdicts["accepted"], verdicts["refused"]) > count / 5, verdicts


def test_decoders_agree_on_a_sample(decoders: Decoders, oracle: Oracle) -> None:
    _assert_agreement(decoders, oracle, SAMPLE, 7)


@pytest.mark.long
def test_decoders_agree_on_many(decoders: Decoders, oracle: Oracle) -> None:
    _assert_agreement(decoders, oracle, LONG, int(os.environ.get("ACCORD_TEST_SEED", "11")))
