"""`contentMediaType` and `contentSchema` stand only where the server looks into the text: events and files."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import EVENT_STREAM, Contract
from codegen.lint.forms import FORMS
from codegen.resolved import reach

RULE = "content_keywords"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield content keywords that JSON Schema would treat as a remark."""
    bundle = contract.bundle
    entries = [media for o in contract.operations for response in o.responses for media in response.media]
    entries += [media for operation in contract.operations if operation.body for media in operation.body.media]
    read = {media.schema for media in entries if media.schema and media.content_type in FORMS | {EVENT_STREAM}}
    plain = {media.schema for media in entries if media.schema and media.content_type not in FORMS | {EVENT_STREAM}}
    plain |= {parameter.schema for operation in contract.operations for parameter in operation.parameters}
    allowed = set(reach(bundle, read)) - set(reach(bundle, plain))
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind == "schema" and pointer not in allowed and isinstance(node, dict):
            for keyword in ("contentMediaType", "contentSchema"):
                if keyword in node:
                    place = bundle.locate(f"{pointer}/{keyword}")
                    yield Finding(
                        RULE, place, f"{keyword} is checked in events and files only: describe the JSON itself"
                    )
