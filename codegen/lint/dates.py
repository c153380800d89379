"""A date that a caller sends is one that Python can hold: RFC 3339 allows leap seconds and the year 0000, datetime does not."""

from __future__ import annotations

from collections.abc import Iterator

import jsonschema_rs

from codegen.findings import Finding
from codegen.ir import Contract
from codegen.resolved import reach

RULE = "dates"
_UNTYPED = {
    "date-time": ("2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z"),
    "date": ("0000-01-01",),
}
_PATTERN = {"date-time": r"^(?!0000|9999).{17}[0-5]", "date": "^(?!0000)"}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield formats whose valid values would fail in typing."""
    media = [media for operation in contract.operations if operation.body for media in operation.body.media]
    sent = {entry.schema for entry in media if entry.schema}
    sent |= {parameter.schema for operation in contract.operations for parameter in operation.parameters}
    for pointer in reach(contract.bundle, sent):
        node = contract.bundle.get(pointer)
        if isinstance(node, dict) and node.get("format") in _UNTYPED:
            validator = jsonschema_rs.Draft202012Validator({"pattern": node.get("pattern", "")})
            if any(validator.is_valid(text) for text in _UNTYPED[node["format"]]):
                place = contract.bundle.locate(f"{pointer}/format")
                fix = f"add `pattern: '{_PATTERN[node['format']]}'`: leap seconds and the year 0000 have no datetime"
                yield Finding(RULE, place, fix)
