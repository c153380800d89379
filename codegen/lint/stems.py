"""One stem `<area>/<resource>`: the file, the tag and the component's area agree, and a file stays small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape
from codegen.names import camel

RULE = "stems"
_OPERATIONS_PER_FILE = 14


def check(contract: Contract) -> Iterator[Finding]:
    """Yield operations and schemas whose names do not lead to their files."""
    bundle = contract.bundle
    for operation in contract.operations:
        if operation.node.get("tags") != [operation.area]:
            place = bundle.locate(f"{operation.pointer}/tags" if "tags" in operation.node else operation.pointer)
            yield Finding(RULE, place, f"write `tags: [{operation.area}]`, the folder of this file")
    counts = Counter((operation.area, operation.resource) for operation in contract.operations)
    for operation in contract.operations:
        if counts.pop((operation.area, operation.resource), 0) > _OPERATIONS_PER_FILE:
            place = bundle.locate(operation.pointer)
            yield Finding(RULE, place, f"split this file: more than {_OPERATIONS_PER_FILE} operations")
    for name in contract.root.get("components", {}).get("schemas", {}):
        area, _, own = name.rpartition(".")
        place = bundle.locate(f"/components/schemas/{escape(name)}")
        if "." in area:
            yield Finding(RULE, place, f"rename {own!r}: another schema of its folder has that name")
        elif own != camel(own):
            yield Finding(RULE, place, f"name this schema {camel(own)!r}: it becomes a class")
