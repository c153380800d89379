"""The document is OpenAPI 3.1 with the standard JSON Schema dialect: the only one that the validator is given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codegen.bundle import Bundle
from codegen.findings import Finding

RULE = "version"
_DIALECT = "https://spec.openapis.org/oas/3.1/dialect/base"


def check(bundle: Bundle) -> Iterator[Finding]:
    """Yield another version or dialect."""
    root = bundle.document
    if not re.fullmatch(r"3\.1\.\d+", str(root.get("openapi"))):
        yield Finding(RULE, bundle.locate("/openapi"), "write `openapi: 3.1.0`; 3.0 and 3.2 schemas mean other things")
    if root.get("jsonSchemaDialect", _DIALECT) != _DIALECT:
        yield Finding(RULE, bundle.locate("/jsonSchemaDialect"), f"remove jsonSchemaDialect or write {_DIALECT}")
