"""What the fuzzer must not call a failure, each with its reason and a link."""

from __future__ import annotations

from dataclasses import dataclass

ALL = "*"


@dataclass(frozen=True)
class Expectation:
    """A check that is narrowed: `statuses` it accepts besides its own, or switched off when there are none."""

    operation_id: str
    check: str
    reason: str
    link: str
    statuses: tuple[int | str, ...] = ()


EXPECTATIONS = (
    Expectation(
        ALL,
        "positive_data_acceptance",
        "input that matches the schema may still be refused for what it means: a foreign id, a state, a used key, a limit",
        "https://schemathesis.readthedocs.io/en/stable/reference/checks/#positive_data_acceptance",
        ("2xx", "3xx", 400, 401, 403, 404, 409, 410, 412, 422, 423, 429),
    ),
    Expectation(
        "contract_get_yaml",
        "response_schema_conformance",
        "the body is YAML text and its schema says so; the fuzzer parses it before it compares it with `type: string`",
        "https://schemathesis.readthedocs.io/en/stable/reference/checks/#response_schema_conformance",
    ),
)
