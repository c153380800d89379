"""Reduces schemas to what a Python type can say, so that the generated types accept all that the schemas accept.

Validity is decided before typing, by the JSON Schema validator on the whole schema. So bounds, patterns, conditions and
most formats are left out here: a type that repeated them could only disagree. Names are given here as well: every
object that stands inside another becomes a schema of its own, called after its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codegen.bundle import Bundle
from codegen.locate import Json, unescape
from codegen.names import camel

_TYPED_FORMATS = {"uuid", "date-time", "date"}
_SCHEMAS = "/components/schemas/"
Shape = dict[str, Any]


def schema_names(bundle: Bundle) -> dict[str, str]:
    """Return component name → `module.ClassName`, unique also where only case or punctuation differs."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for component in sorted(bundle.document.get("components", {}).get("schemas", {})):
        *folders, own = component.split(".")
        name = f"{'_'.join(folders) or 'common'}.{camel(own)}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[component] = name
    return names


class Shaper:
    """Fills `shapes`: type name → reduced schema, for every component and every inline schema asked for."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.names = schema_names(bundle)
        self.shapes: dict[str, Shape] = {}
        for component, name in self.names.items():
            schema = bundle.document["components"]["schemas"][component]
            self.shapes[name] = self._described(schema, self._inner(schema, name))

    def type_of(self, pointer: str, name: str) -> str | None:
        """Return the type name for the schema at `pointer`, making one called `name` for an inline schema.

        None when the schema says nothing about the type of its value.
        """
        if _is_component(pointer):
            return self.names[_component(pointer)]
        schema = self._bundle.get(pointer)
        shape = self._inner(schema, name)
        if not shape:
            return None
        name = self._free(name)
        self.shapes[name] = self._described(schema, shape)
        return name

    def member(self, pointer: str, name: str) -> Shape:
        """Return the shape of the schema at `pointer` as a member of another; `name` is for an object inside it."""
        return self._nested({"$ref": f"#{pointer}"} if _is_component(pointer) else self._bundle.get(pointer), name)

    def _described(self, schema: Json, shape: Shape) -> Shape:
        if isinstance(schema, dict) and isinstance(schema.get("description"), str) and "properties" in shape:
            return {**shape, "description": _docstring(schema["description"])}
        return shape

    def _free(self, name: str) -> str:
        while name in self.shapes or name in self.names.values():
            name += "Inline"
        return name

    def _nested(self, schema: Json, name: str) -> Shape:
        """Return the shape of a schema inside another; objects with members of their own get a name."""
        shape = self._inner(schema, name)
        if shape.get("type") == "object" and "properties" in shape:
            name = self._free(name)
            self.shapes[name] = self._described(schema, shape)
            return _ref(name)
        return shape

    def _inner(self, schema: Json, name: str) -> Shape:
        if not isinstance(schema, dict):
            return {}
        if isinstance(schema.get("$ref"), str):
            return _ref(self.names[_component(schema["$ref"])])
        if "allOf" in schema:
            return self._all_of(schema, name)
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._union(schema, keyword, name)
        if "const" in schema or "enum" in schema:
            return _literal(schema.get("enum", [schema.get("const")]))
        return self._typed(schema, name)

    def _typed(self, schema: Shape, name: str) -> Shape:
        types = schema.get("type")
        kinds = types if isinstance(types, list) else [types]
        shapes = [self._of_type(kind, schema, name) for kind in kinds if kind != "null"]
        return _any_of(shapes, is_nullable="null" in kinds or schema.get("nullable") is True)

    def _of_type(self, kind: Any, schema: Shape, name: str) -> Shape:
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, name)
        if kind == "array":
            items = self._nested(schema["items"], f"{name}Item") if isinstance(schema.get("items"), dict) else {}
            return {"type": "array", "items": {} if "prefixItems" in schema else items}
        if _is_binary(schema):
            return {"type": "string", "format": "binary"}
        if kind == "string" and schema.get("format") in _TYPED_FORMATS:
            return {"type": "string", "format": schema["format"]}
        return {"type": kind} if kind in {"string", "integer", "number", "boolean", "null"} else {}

    def _object(self, schema: Shape, name: str) -> Shape:
        properties = schema.get("properties", {})
        extra = schema.get("additionalProperties", True)
        if "x-freeform" in schema or (not properties and extra is not False) or self._has_unnamed(schema):
            # A class would drop the members that it does not name: an open object stays plain data.
            has_others = properties or "patternProperties" in schema  # whose values `extra` says nothing of
            value = {} if has_others else self._nested(extra, f"{name}Value")
            return {"type": "object", "additionalProperties": value}
        result: Shape = {"type": "object", "properties": {}, "required": list(schema.get("required", []))}
        for member, child in properties.items():
            shape = self._nested(child, f"{name}{camel(member)}")
            if isinstance(child, dict) and _is_plain_default(child.get("default"), "default" in child):
                shape = {**shape, "default": child["default"]}
                result["required"] = [*result["required"], member]
            result["properties"][member] = shape
        result["required"] = sorted(set(result["required"]) & set(result["properties"]))
        if extra is False:
            result["additionalProperties"] = False
        return result

    def _is_open(self, schema: Json) -> bool:
        """Say whether an object or a part of it, by allOf, takes members that it does not name, for a stated reason or by patterns."""
        if not isinstance(schema, dict):
            return False
        if isinstance(schema.get("$ref"), str):
            return self._is_open(self._bundle.follow(schema["$ref"])[1])
        return "x-freeform" in schema or self._has_unnamed(schema) or any(map(self._is_open, schema.get("allOf", ())))

    def _has_unnamed(self, schema: Shape) -> bool:
        """Say whether patterns or conditions allow members that `properties` does not name."""
        if "patternProperties" in schema:
            return True
        if schema.get("additionalProperties") is False:
            return False
        named = set(schema.get("properties", {}))
        return any(self._brings(part, named) for part in _conditions(schema))

    def _brings(self, schema: Json, named: set[str]) -> bool:
        if not isinstance(schema, dict):
            return False
        if isinstance(schema.get("$ref"), str):
            return self._brings(self._bundle.follow(schema["$ref"])[1], named)
        if "patternProperties" in schema or set(schema.get("properties", {})) - named:
            return True
        parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, [])]
        return any(self._brings(part, named) for part in [*parts, *_conditions(schema)])

    def _all_of(self, schema: Shape, name: str) -> Shape:
        parts = [part for part in schema["allOf"] if isinstance(part, dict)]
        own = {key: value for key, value in schema.items() if key != "allOf"}
        if len(parts) == 1 and "$ref" in parts[0] and not {"properties", "type"} & set(own):
            return _ref(self.names[_component(parts[0]["$ref"])])
        if self._is_open(schema):
            return {"type": "object", "additionalProperties": {}}
        merged: Shape = {"type": "object", "properties": {}, "required": []}
        for written in [*parts, own]:
            part = self._bundle.follow(written["$ref"])[1] if "$ref" in written else written
            part = self._all_of_members(part) if "allOf" in part else part
            if "properties" not in part and part.get("type") not in (None, "object"):
                return {}
            if {"oneOf", "anyOf"} & set(part):
                return {}
            for member, child in part.get("properties", {}).items():
                same = merged["properties"].setdefault(member, child) == child
                merged["properties"][member] = child if same else {}
            merged["required"] = [*merged["required"], *part.get("required", [])]
        return self._object(merged, name)

    def _all_of_members(self, schema: Shape) -> Shape:
        """Return the members that a nested allOf brings along, as one plain object schema."""
        merged: Shape = {"properties": dict(schema.get("properties", {})), "required": list(schema.get("required", []))}
        for part in schema["allOf"]:
            resolved = self._bundle.follow(part["$ref"])[1] if "$ref" in part else part
            inner = self._all_of_members(resolved) if "allOf" in resolved else resolved
            merged["properties"] = {**inner.get("properties", {}), **merged["properties"]}
            merged["required"] = [*merged["required"], *inner.get("required", [])]
        return merged

    def _union(self, schema: Shape, keyword: str, name: str) -> Shape:
        variants = schema[keyword]
        others = [variant for variant in variants if variant != {"type": "null"}]
        is_nullable = len(others) < len(variants)
        discriminator = schema.get("discriminator")
        if isinstance(discriminator, dict) and all(isinstance(v, dict) and "$ref" in v for v in others):
            if any("x-freeform" in self._bundle.follow(variant["$ref"])[1] for variant in others):
                return {}
            mapping = {
                tag: _ref(self.names[_component(ref)])["$ref"] for tag, ref in discriminator.get("mapping", {}).items()
            }
            union = {
                "oneOf": [_ref(self.names[_component(variant["$ref"])]) for variant in others],
                "discriminator": {"propertyName": discriminator["propertyName"], "mapping": mapping},
            }
            return (
                {"oneOf": [*union["oneOf"], {"type": "null"}], "discriminator": union["discriminator"]}
                if is_nullable
                else union
            )
        shapes = [self._nested(variant, f"{name}Variant{number + 1}") for number, variant in enumerate(others)]
        return _any_of([self._settled(shape) for shape in shapes], is_nullable=is_nullable)

    def _settled(self, shape: Shape) -> Shape:
        """Follow a reference to a scalar, since a union must know what its variants are."""
        target = shape
        while "$ref" in target:
            target = self.shapes.get(target["$ref"].removeprefix(f"#{_SCHEMAS}"), {"type": "object"})
        return shape if target.get("type") == "object" else target


def _conditions(schema: Shape) -> list[Json]:
    """Return the schemas that bind a value only where another one fits it."""
    return [
        *(schema[word] for word in ("if", "then", "else") if word in schema),
        *schema.get("dependentSchemas", {}).values(),
    ]


def _docstring(text: str) -> str:
    """Return the text as one line that cannot end the string it stands in; the generator escapes backslashes."""
    return " ".join(text.split()).replace('"', "'")


def _is_binary(schema: Shape) -> bool:
    """Say whether the value is the bytes of a file, as a part of a multipart body is."""
    media_type = str(schema.get("contentMediaType", ""))
    is_file = bool(media_type) and "contentEncoding" not in schema and "json" not in media_type
    return schema.get("format") == "binary" or is_file


def _is_component(pointer: str) -> bool:
    return pointer.startswith(_SCHEMAS) and "/" not in pointer.removeprefix(_SCHEMAS)


def _component(ref: str) -> str:
    return unescape(ref.lstrip("#").removeprefix(_SCHEMAS))


def _ref(name: str) -> Shape:
    return {"$ref": f"#{_SCHEMAS}{name}"}


def _literal(values: list[Json]) -> Shape:
    """Keep an enumeration of strings; other values are compared by the validator, which knows that 1 equals 1.0."""
    texts = [value for value in values if isinstance(value, str)]
    others = [value for value in values if not isinstance(value, str)]
    if texts and all(value is None for value in others):
        return _any_of([{"type": "string", "enum": texts}], is_nullable=bool(others))
    kinds = {_JSON_TYPES[type(value)] for value in values}
    return _any_of([{"type": kind} for kind in sorted(kinds - {"null"})], is_nullable="null" in kinds)


_JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "array",
}


def _any_of(shapes: list[Shape], *, is_nullable: bool) -> Shape:
    """Join shapes into one that msgspec can decode: at most one text, one number, one array and one object among them."""
    if any(not shape for shape in shapes):
        return {}
    by_kind: dict[str, list[Shape]] = {}
    for shape in shapes:
        kind = "object" if "$ref" in shape else shape.get("type", "object")
        by_kind.setdefault("number" if kind == "integer" else kind, []).append(shape)
    joined: list[Shape] = []
    for kind, group in by_kind.items():
        distinct = [shape for index, shape in enumerate(group) if shape not in group[:index]]
        if len(distinct) > 1 and kind in {"object", "array"}:
            return {}
        joined.append(distinct[0] if len(distinct) == 1 else {"type": kind})
    if is_nullable:
        joined.append({"type": "null"})
    return joined[0] if len(joined) == 1 else {"anyOf": joined}


def _is_plain_default(value: Json, is_given: bool) -> bool:
    return is_given and (value is None or isinstance(value, str | int | float | bool) or value == [])
