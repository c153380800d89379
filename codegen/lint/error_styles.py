"""Every path names how it words its errors, and its error responses are of that style's media type."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape

RULE = "error_styles"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield unknown styles, and error responses that another style would give."""
    styles = contract.root.get("x-error-styles", {})
    for prefix, style in contract.root.get("x-error-prefixes", {}).items():
        if style not in styles:
            place = contract.bundle.locate(f"/x-error-prefixes/{escape(prefix)}")
            yield Finding(RULE, place, f"declare the style {style!r} in x-error-styles")
    for operation in contract.operations:
        name = operation.path_node.get("x-error-style")
        if name not in styles:
            place = contract.bundle.locate(f"/paths/{escape(operation.path)}")
            yield Finding(RULE, place, f"write x-error-style, one of {', '.join(sorted(styles))}")
            continue
        for response in operation.responses:
            types = [media.content_type for media in response.media]
            if response.status >= "400" and types and styles[name]["content_type"] not in types:
                place = contract.bundle.locate(f"{operation.pointer}/responses/{response.status}")
                yield Finding(RULE, place, f"use the {name} style's response: {styles[name]['content_type']}")
