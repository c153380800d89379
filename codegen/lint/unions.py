"""A union of objects has a discriminator that maps every variant, and each variant fixes its tag with `const`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape
from codegen.resolved import Resolved

RULE = "unions"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield unions that a typed decoder could not tell apart."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind != "schema" or not isinstance(node, dict):
            continue
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                yield from _union(bundle, f"{pointer}/{keyword}", node, len(node[keyword]))
        if "discriminator" in node and not {"oneOf", "anyOf"} & set(node):
            place = bundle.locate(f"{pointer}/discriminator")
            yield Finding(RULE, place, "write the variants as oneOf beside the discriminator")


def _union(bundle: Bundle, pointer: str, node: dict[str, Any], count: int) -> Iterator[Finding]:
    variants = [f"{pointer}/{index}" for index in range(count)]
    objects = [variant for variant in variants if "object" in Resolved(bundle, variant).kinds()]
    discriminator = node.get("discriminator")
    if discriminator is None:
        if len(objects) > 1:
            yield Finding(
                RULE, bundle.locate(pointer), "add a discriminator with a mapping: several variants are objects"
            )
        return
    mapping = {ref.lstrip("#"): tag for tag, ref in discriminator.get("mapping", {}).items()}
    variants_named = {bundle.follow(variant)[0] for variant in variants}
    seen: set[str] = set()
    for tag, ref in discriminator.get("mapping", {}).items():
        target = bundle.follow(ref.lstrip("#"))[0]
        place = bundle.locate(f"{pointer.rpartition('/')[0]}/discriminator/mapping/{escape(tag)}")
        if target not in variants_named:
            yield Finding(RULE, place, f"write what {tag!r} leads to among the variants; no value can have this tag")
        elif target in seen:
            yield Finding(RULE, place, f"give {tag!r} a variant of its own: a variant fixes one tag with `const`")
        seen.add(target)
    for variant in objects:
        component = bundle.follow(variant)[0]
        if component not in mapping:
            yield Finding(RULE, bundle.locate(variant), "name this variant in the discriminator's mapping")
            continue
        tag = Resolved(bundle, component).properties().get(discriminator["propertyName"])
        fixed = tag.node.get("const") if tag is not None and isinstance(tag.node, dict) else None
        required = bundle.get(component).get("required", [])
        if fixed != mapping[component] or discriminator["propertyName"] not in required:
            fix = f"require {discriminator['propertyName']} and write `const: {mapping[component]}` for it"
            yield Finding(RULE, bundle.locate(component), fix)
