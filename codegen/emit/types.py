"""Makes the modules of msgspec Structs, one an area, with datamodel-code-generator."""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from codegen.emit.shapes import Shape

HEADER = "# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator."
_TEMPLATES = Path(__file__).parent / "templates"


_ELSEWHERE: Shape = {"type": "object", "properties": {}}
"""Stands for a class of another area: its module needs the name only, so a change of that class leaves it fresh."""


def areas(shapes: Mapping[str, Shape]) -> dict[str, dict[str, Shape]]:
    """Return area → what its module is made from: its own shapes and what they refer to, sorted.

    Two equal inputs give equal modules, so the input's hash says whether a module is fresh.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for name in shapes:
        members[name.rpartition(".")[0]].append(name)
    unions = _unions(shapes)
    return {area: _inputs(names, shapes, unions) for area, names in sorted(members.items())}


def _inputs(names: Iterable[str], shapes: Mapping[str, Shape], unions: Mapping[str, set[str]]) -> dict[str, Shape]:
    own = set(names)
    found: dict[str, Shape] = {}
    queue = list(own)
    while queue:
        name = queue.pop()
        if name not in found:
            is_class = shapes[name].get("type") == "object" and name not in unions
            found[name] = _ELSEWHERE if is_class and name not in own else shapes[name]
            queue.extend(_references(found[name]))
            queue.extend(unions.get(name, ()))
    return dict(sorted(found.items()))


def _unions(shapes: Mapping[str, Shape]) -> dict[str, set[str]]:
    """Return variant → the tagged unions it belongs to: their tag is part of the variant's class."""
    result: dict[str, set[str]] = defaultdict(set)
    for name, shape in shapes.items():
        for variant in _variants(shape):
            result[variant].add(name)
    return result


def _variants(node: object) -> Iterable[str]:
    if isinstance(node, dict):
        if "discriminator" in node:
            yield from _references(node.get("oneOf"))
        for child in node.values():
            yield from _variants(child)
    elif isinstance(node, list):
        for child in node:
            yield from _variants(child)


def _references(node: object) -> Iterable[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def module_text(area: str, shapes: Mapping[str, Shape]) -> str:
    """Return the source of `area`'s module; `shapes` is its entry of `areas`."""
    from datamodel_code_generator import GenerateConfig, generate  # noqa: PLC0415  (half a second; only when needed)
    from datamodel_code_generator.enums import (  # noqa: PLC0415  (likewise)
        DataModelType,
        InputFileType,
        OpenAPIScope,
    )
    from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion  # noqa: PLC0415  (likewise)
    from datamodel_code_generator.parser import LiteralType  # noqa: PLC0415  (likewise)

    document = {
        "openapi": "3.1.0",
        "info": {"title": "types", "version": "1"},
        "paths": {},
        "components": {"schemas": dict(shapes)},
    }
    config = GenerateConfig(
        input_file_type=InputFileType.OpenAPI,
        openapi_scopes=[OpenAPIScope.Schemas],
        output_model_type=DataModelType.MsgspecStruct,
        target_python_version=PythonVersion.PY_311,
        custom_template_dir=_TEMPLATES,
        custom_file_header=HEADER,
        disable_timestamp=True,
        formatters=[Formatter.BUILTIN],
        keyword_only=True,
        snake_case_field=True,
        use_msgspec_tagged_unions=True,
        use_standard_primitive_types=True,
        use_union_operator=True,
        use_exact_imports=False,
        use_schema_description=True,
        enum_field_as_literal=LiteralType.All,
        apply_default_values_for_required_fields=True,
        output_datetime_class=DatetimeClassType.Datetime,
        use_double_quotes=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output = generate(json.dumps(document), config=config)
    if isinstance(output, str):
        return f"{output.rstrip()}\n"
    *folders, module = area.split(".")
    return f"{(output or {})[*folders, f'{module}.py'].rstrip()}\n"


def warm() -> None:
    """Have the generator loaded, which takes longer than most areas do."""
    module_text("area", {"area.Thing": _ELSEWHERE})
