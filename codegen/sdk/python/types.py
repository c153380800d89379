"""Schemas as Python types: Structs for what is received, TypedDicts for what is sent.

Written for a client that outlives its contract: members it does not know are passed over, an enumeration marked
x-open-enum takes any text, and what is missing (UNSET) is told from null (None). Only what operations reach is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from codegen.bundle import Bundle
from codegen.emit.shapes import schema_names
from codegen.locate import unescape
from codegen.names import camel, snake
from codegen.resolved import Resolved
from codegen.sdk import surface
from codegen.sdk.python.text import HEADER, docstring, literal, sentence

_SCHEMAS = "/components/schemas/"
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_SHADOWING = frozenset(
    {"list", "dict", "str", "int", "float", "bool", "bytes", "tuple", "datetime", "Date", "UUID", "Any", "field"}
)
_INLINE_DEPTH = 12
_MODULES = (
    ("collections.abc", ("Mapping", "Sequence")),
    ("datetime", ("datetime",)),
    ("typing", ("Any", "ClassVar", "List", "Literal", "Required", "TypeAlias", "TypedDict")),
    ("uuid", ("UUID",)),
    ("msgspec", ("UNSET", "Struct", "UnsetType", "field")),
    ("..runtime.files", ("FileInput",)),
    ("..runtime.moments", ("Moment",)),
    ("..runtime.secrets", ("concealing",)),
)
_IMPORTED = frozenset(["Date", *(name for _, names in _MODULES for name in names)])
"""What a module of types may import: no class of the contract is called so."""


@dataclass
class _Area:
    """A module in the making: class name → source, aliases apart since they are evaluated at once."""

    aliases: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)


class Types:
    """Gives the type expression of every schema asked for, and collects the classes that they name."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._names = schema_names(bundle)
        self._tags = _tags(bundle)
        self._areas: dict[str, _Area] = {}
        self._taken: dict[tuple[str, str], str] = {}

    def received(self, pointer: str, place: str) -> str:
        """Return the type of what a server sends; place: `area.Name` for an object that has no name of its own."""
        return _Writer(self, is_sent=False).type(pointer, place, 0)

    def sent(self, pointer: str, place: str) -> str:
        """Return the type of what a caller gives."""
        return _Writer(self, is_sent=True).type(pointer, place, 0)

    def modules(self) -> dict[str, str]:
        """Return area → source."""
        return {area: _module(area, found) for area, found in sorted(self._areas.items())}

    def component(self, pointer: str) -> str | None:
        """Return `area.Name` of a component; None for a schema inside another."""
        name = pointer.removeprefix(_SCHEMAS)
        if not pointer.startswith(_SCHEMAS) or "/" in name:
            return None
        area, _, own = self._names[unescape(name)].rpartition(".")
        return f"{snake(area)}.{own}"

    def tag(self, pointer: str) -> tuple[str, str] | None:
        """Return member and value by which a variant of a union is told; None where unions disagree."""
        return self._tags.get(pointer)

    def reserve(self, qualified: str, pointer: str) -> tuple[str, bool]:
        """Return the name that a class gets, and whether it has still to be written."""
        area, _, name = qualified.rpartition(".")
        while name in _IMPORTED or self._taken.setdefault((area, name), pointer) != pointer:
            name += "_"
        found = self._areas.setdefault(area, _Area())
        is_new = name not in found.classes and name not in found.aliases
        if is_new:
            found.classes[name] = ""
        return f"{area}.{name}", is_new

    def write(self, qualified: str, text: str, *, is_alias: bool = False) -> None:
        """Keep the source of a class."""
        area, _, name = qualified.rpartition(".")
        if is_alias:
            del self._areas[area].classes[name]
            self._areas[area].aliases[name] = text
        else:
            self._areas[area].classes[name] = text


@dataclass(frozen=True)
class _Writer:
    """Writes types of one direction."""

    types: Types
    is_sent: bool

    def type(self, pointer: str, place: str, depth: int) -> str:
        pointer, node = self.types.bundle.follow(pointer)
        if not isinstance(node, dict) or depth > _INLINE_DEPTH:
            return "Any"
        place = self.types.component(pointer) or place
        if {"enum", "const"} & set(node):
            return self._enumeration(pointer, node)
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                return self._union(pointer, node, keyword, place, depth)
        if "allOf" in node:
            return self._all_of(pointer, node, place, depth)
        kinds = node.get("type")
        listed = kinds if isinstance(kinds, list) else [kinds]
        found = [self._of_kind(kind, pointer, node, place, depth) for kind in listed]
        return _joined([*found, *(["None"] if node.get("nullable") else [])])

    def _all_of(self, pointer: str, node: dict[str, Any], place: str, depth: int) -> str:
        others = ["None"] if Resolved(self.types.bundle, pointer).is_nullable() else []
        if surface.members(self.types.bundle, pointer):
            return _joined([self._class(pointer, place), *others])
        parts = [self.type(f"{pointer}/allOf/{index}", place, depth + 1) for index in range(len(node["allOf"]))]
        known = {part for part in parts if part != "Any"}
        return _joined([*known, *others]) if len(known) == 1 else "Any"

    def _of_kind(self, kind: Any, pointer: str, node: dict[str, Any], place: str, depth: int) -> str:
        if kind == "object" or (kind is None and "properties" in node):
            if node.get("properties"):
                return self._class(pointer, place)
            extra = node.get("additionalProperties", True)
            value = (
                self.type(f"{pointer}/additionalProperties", f"{place}Value", depth + 1)
                if isinstance(extra, dict)
                else "Any"
            )
            return f"{'Mapping' if self.is_sent else 'dict'}[str, {value}]"
        if kind == "array":
            item = (
                self.type(f"{pointer}/items", f"{place}Item", depth + 1)
                if isinstance(node.get("items"), dict)
                else "Any"
            )
            return f"{'Sequence' if self.is_sent and item != 'str' else 'list'}[{item}]"
        return self._text(node) if kind == "string" else _SCALARS.get(kind, "Any")

    def _text(self, node: dict[str, Any]) -> str:
        form = node.get("format")
        if form == "uuid":
            return "UUID | str" if self.is_sent else "UUID"
        if form == "date-time":
            return "datetime" if self.is_sent else "Moment"
        if form == "date":
            return "Date"
        is_file = form == "binary" or (
            "contentMediaType" in node and "contentEncoding" not in node and "json" not in node["contentMediaType"]
        )
        return ("FileInput" if self.is_sent else "bytes") if is_file else "str"

    def _enumeration(self, pointer: str, node: dict[str, Any]) -> str:
        values = node.get("enum", [node.get("const")])
        if any(not isinstance(value, str | int | bool | None) for value in values):
            return _joined(
                [_SCALARS.get(node.get("type", ""), "float" if isinstance(value, float) else "Any") for value in values]
            )
        texts = [literal(value) for value in values if value is not None and not isinstance(value, bool)]
        others = (["bool"] if any(isinstance(value, bool) for value in values) else []) + (
            ["None"] if None in values or node.get("nullable") is True else []
        )
        open_ = ["str"] if node.get("x-open-enum") else []
        expression = _joined([*([f"Literal[{', '.join(texts)}]"] if texts else []), *open_, *others])
        name = self.types.component(pointer)
        if name is None:
            return expression
        name, is_new = self.types.reserve(name, pointer)
        if is_new:
            words = docstring([sentence(str(node.get("description", "")))], 0)
            self.types.write(name, f"{name.rpartition('.')[2]}: TypeAlias = {expression}\n{words}", is_alias=True)
        return _own(name)

    def _union(self, pointer: str, node: dict[str, Any], keyword: str, place: str, depth: int) -> str:
        variants = [f"{pointer}/{keyword}/{index}" for index in range(len(node[keyword]))]
        targets = [self.types.bundle.follow(variant)[0] for variant in variants]
        found = [
            self.type(variant, f"{place}Variant{number}", depth + 1)
            if len(variants) > 1
            else self.type(variant, place, depth + 1)
            for number, variant in enumerate(variants, 1)
        ]
        if node.get("nullable"):
            found.append("None")
        objects = [target for target in targets if surface.members(self.types.bundle, target)]
        is_told = len(objects) < 2 or ("discriminator" in node and all(self.types.tag(target) for target in objects))
        return _joined(found) if self.is_sent or (is_told and _is_decodable(found, len(objects))) else "Any"

    def _class(self, pointer: str, place: str) -> str:
        area, _, own = place.rpartition(".")
        name, is_new = self.types.reserve(f"{area}.{own}Param" if self.is_sent else place, f"{pointer}|{self.is_sent}")
        if is_new:
            write = self._typed_dict if self.is_sent else self._struct
            self.types.write(name, write(pointer, name))
        return _own(name)

    def _struct(self, pointer: str, name: str) -> str:
        bundle, own = self.types.bundle, name.rpartition(".")[2]
        tag = self.types.tag(pointer)
        needed = surface.required(bundle, pointer, is_sent=False)
        options = f", tag_field={literal(tag[0])}, tag={literal(tag[1])}" if tag else ""
        lines = [f"class {own}(Struct, kw_only=True, frozen=True{options}):\n"]
        lines.append(docstring([sentence(surface.described(bundle, pointer))], 4))
        used: set[str] = set()
        secrets: list[str] = []
        for wire, member in surface.members(bundle, pointer).items():
            attribute = _attribute(wire, used)
            if tag and wire == tag[0]:
                lines.append(f"    {attribute}: ClassVar[Literal[{literal(tag[1])}]] = {literal(tag[1])}\n")
                continue
            expression = self.type(member, f"{name}{camel(wire)}", 0)
            is_missing = wire not in needed
            default = "UNSET" if is_missing else ""
            if attribute != wire:
                default = f"field(name={literal(wire)}{', default=UNSET' if is_missing else ''})"
            expression = _joined([expression, "UnsetType"]) if is_missing else expression
            lines.append(f"    {attribute}: {expression}{f' = {default}' if default else ''}\n")
            lines.append(docstring([words(bundle, member)], 4))
            _, shape = bundle.follow(member)
            if isinstance(shape, dict) and shape.get("format") == "password":
                secrets.append(attribute)
        if secrets:
            names = ", ".join(literal(secret) for secret in secrets)
            lines.append(f"\n    def __repr__(self) -> str:\n        return concealing(self, {names})\n")
        return "".join(lines) + ("    pass\n" if len(lines) == 2 and not lines[1] else "")

    def _typed_dict(self, pointer: str, name: str) -> str:
        bundle, own = self.types.bundle, name.rpartition(".")[2]
        needed = surface.required(bundle, pointer, is_sent=True)
        place = name.removesuffix("Param")
        rows = []
        for wire, member in surface.members(bundle, pointer).items():
            expression = self.type(member, f"{place}{camel(wire)}", 0)
            rows.append((wire, f"Required[{expression}]" if wire in needed else expression, words(bundle, member)))
        if any(
            not re.fullmatch(r"[A-Za-z_]\w*", wire) or snake(wire).endswith("_") or wire.startswith("__")
            for wire, _, _ in rows
        ):
            inner = ", ".join(f"{literal(wire)}: {literal(expression)}" for wire, expression, _ in rows)
            return f'{own} = TypedDict("{own}", {{{inner}}}, total=False)\n'
        head = f"class {own}(TypedDict, total=False):\n{docstring([sentence(surface.described(bundle, pointer))], 4)}"
        return head + "".join(f"    {wire}: {expression}\n{docstring([text], 4)}" for wire, expression, text in rows)


def words(bundle: Bundle, pointer: str) -> str:
    """Return what is to be said of a member: its description, its unit, that it is deprecated."""
    node = bundle.get(pointer)
    target = bundle.follow(pointer)[1]
    texts = [surface.described(bundle, pointer)]
    for place in (node, target):
        unit = place.get("x-unit") if isinstance(place, dict) else None
        if unit:
            texts.append(f"Unit: {unit}")
            break
    if isinstance(target, dict) and target.get("deprecated"):
        texts.append("Deprecated")
    return " ".join(sentence(text) for text in texts if text)


def _attribute(wire: str, used: set[str]) -> str:
    name = snake(wire)
    while name in used or name in _SHADOWING:
        name += "_"
    used.add(name)
    return name


def attribute_path(bundle: Bundle, pointer: str, path: str) -> list[str]:
    """Return the attributes that lead to the member which a JSON pointer into a value names."""
    names = []
    for token in path.split("/")[1:]:
        used: set[str] = set()
        table = {wire: _attribute(wire, used) for wire in surface.members(bundle, pointer)}
        names.append(table[unescape(token)])
        pointer = surface.members(bundle, pointer)[unescape(token)]
    return names


def _own(qualified: str) -> str:
    area, _, name = qualified.rpartition(".")
    return f"_{area}.{name}"


def _joined(expressions: Iterable[str]) -> str:
    parts: dict[str, None] = {}
    for expression in expressions:
        parts.update(dict.fromkeys([expression]))
    if "Any" in parts:
        return "Any"
    if "None" in parts:
        parts.pop("None")
        parts["None"] = None
    return " | ".join(parts) or "Any"


def _is_decodable(expressions: list[str], objects: int) -> bool:
    """Say whether msgspec can tell these apart: at most one array, and no mapping beside classes."""
    plain = [expression for expression in expressions if expression.startswith(("list[", "dict["))]
    texts = [e for e in expressions if e in {"str", "UUID", "Moment", "Date", "bytes"} or e.startswith("Literal[")]
    lists = [expression for expression in plain if expression.startswith("list[")]
    return (
        len(lists) < 2
        and not (objects and len(plain) > len(lists))
        and len(plain) - len(lists) < 2
        and len(set(texts)) < 2
    )


def _tags(bundle: Bundle) -> dict[str, tuple[str, str]]:
    """Return variant → the member and value that tell it in every union which has it."""
    found: dict[str, tuple[str, str] | None] = {}
    for node in _walk(bundle.document):
        discriminator = node.get("discriminator")
        if not isinstance(discriminator, dict) or "propertyName" not in discriminator:
            continue
        mapping = discriminator.get("mapping") or {
            unescape(variant["$ref"].rpartition("/")[2]): variant["$ref"]
            for variant in node.get("oneOf", node.get("anyOf", []))
            if isinstance(variant, dict) and "$ref" in variant
        }
        for value, ref in mapping.items():
            if not str(ref).startswith("#/"):
                continue
            pointer = bundle.follow(ref.lstrip("#"))[0]
            told = (discriminator["propertyName"], value)
            found[pointer] = told if found.get(pointer, told) == told else None
    return {pointer: told for pointer, told in found.items() if told is not None}


def _walk(node: Any) -> Iterable[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child)


_TYPE_BEGINS = r'(?:(?<![\w."])|(?<=: "))'
"""Before a type, also one that a TypedDict keeps as text; not before a text that looks like one."""


def imports(text: str, own: str = "") -> str:
    """Return the import lines for the names that `text` uses; own: the area it is the module of."""
    code = re.sub(r'"""[\s\S]*?"""', "", text)
    lines = [] if not re.search(r"\bDate\b", code) else ["from datetime import date as Date"]
    for module, names in _MODULES:
        used = [name for name in names if re.search(rf"(?<![\w.]){name}\b", code)]
        if used:
            lines.append(f"from {module} import {', '.join(used)}")
    areas = sorted(set(re.findall(rf"{_TYPE_BEGINS}_([a-z]\w*)\.[A-Z]", code)) - {own})
    prefix = "." if own else "..types"
    lines += [f"from {prefix} import {area} as _{area}" for area in areas]
    return "\n".join(lines)


def _module(area: str, found: _Area) -> str:
    classes = [found.classes[name] for name in sorted(found.classes)]
    body = "\n\n".join([*(found.aliases[name] for name in sorted(found.aliases)), *classes])
    body = re.sub(rf"{_TYPE_BEGINS}_{re.escape(area)}\.(?=[A-Z])", "", body)
    head = f'{HEADER}\n"""Types of {area}."""\n\nfrom __future__ import annotations\n\n'
    return f"{head}{imports(body, area)}\n\n\n{body}"
