"""Compares two versions of a schema: what callers may send no longer, or may get and do not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.resolved import Resolved
from codegen.sdk.surface import members, required
from codegen.structure.valid_schemas import FORMATS

Message = tuple[str, str]
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "format", "multipleOf", "uniqueItems", "contentMediaType")


class Narrowing:
    """Compares schemas of an older contract with those of a newer one. is_sent: callers send the values, else they get them."""

    def __init__(self, old: Bundle, new: Bundle, *, is_sent: bool) -> None:
        self._old = old
        self._new = new
        self._is_sent = is_sent
        self._seen: set[tuple[str, str]] = set()

    def messages(self, old: str, new: str, name: str) -> Iterator[Message]:
        """Yield (pointer in the newer contract, message) for each break. name: what the values are called."""
        before, after = Resolved(self._old, old), Resolved(self._new, new)
        if (before.pointer, after.pointer) in self._seen:
            return
        self._seen.add((before.pointer, after.pointer))
        yield from self._kinds(before, after, name)
        yield from self._values(before, after, name)
        yield from self._bounds(before, after, name)
        yield from self._members(before, after, name)
        yield from self._variants(before, after, name)
        old_node, new_node = _node(before), _node(after)
        if "items" in old_node and "items" in new_node:
            yield from self.messages(f"{before.pointer}/items", f"{after.pointer}/items", f"items of {name}")

    def _kinds(self, old: Resolved, new: Resolved, name: str) -> Iterator[Message]:
        before, after = _widened(old.kinds()), _widened(new.kinds())
        for kind in sorted(before - after if self._is_sent else after - before):
            told = f"callers send {kind} as {name}: take it" if self._is_sent else f"callers expect no {kind} as {name}"
            yield new.pointer, told

    def _values(self, old: Resolved, new: Resolved, name: str) -> Iterator[Message]:
        before, after = _values(old), _values(new)
        if self._is_sent:
            gone = [value for value in before or () if after is not None and value not in after]
            if before is None and after is not None:
                yield new.pointer, f"callers send any value as {name}: take more than {after}"
        else:
            is_open = "x-open-enum" in _node(old)
            gone = [] if is_open else [v for v in after or () if before is not None and v not in before]
            if before is not None and after is None and not is_open:
                yield new.pointer, f"callers know no other {name} than {before}"
        for value in gone:
            told = (
                f"callers send {value!r} as {name}: take it" if self._is_sent else f"callers know no {name} {value!r}"
            )
            yield new.pointer, told

    def _bounds(self, old: Resolved, new: Resolved, name: str) -> Iterator[Message]:
        if not self._is_sent:
            return
        before, after = _node(old), _node(new)
        tighter = [field for field in _LOWER if field in after and after[field] > before.get(field, float("-inf"))]
        tighter += [field for field in _UPPER if field in after and after[field] < before.get(field, float("inf"))]
        tighter += [field for field in _EXACT if field in after and after[field] != before.get(field)]
        for field in tighter:
            if after[field] not in (0, False) and (field != "format" or after[field] in FORMATS):
                yield (
                    f"{new.pointer}/{field}",
                    f"callers send {name} outside of {field} {after[field]!r}: do not narrow it",
                )

    def _members(self, old: Resolved, new: Resolved, name: str) -> Iterator[Message]:
        before, after = members(self._old, old.pointer), members(self._new, new.pointer)
        needed, need = required(self._old, old.pointer), required(self._new, new.pointer)
        for member in sorted(need - needed if self._is_sent else needed - need):
            told = f"callers do not send {member} of {name}: do not require it"
            yield new.pointer, told if self._is_sent else f"callers rely on {member} of {name}: keep it required"
        is_closed = _node(new).get("additionalProperties") is False
        if self._is_sent and is_closed and before and _node(old).get("additionalProperties", True) is not False:
            yield new.pointer, f"callers send further members in {name}: take them"
        for member, pointer in before.items():
            if member in after:
                yield from self.messages(pointer, after[member], member)
            elif self._is_sent and is_closed:
                yield new.pointer, f"callers send {member} of {name}: take it"
            elif not self._is_sent and (member not in needed or member in need):
                yield new.pointer, f"callers read {member} of {name}: keep it"

    def _variants(self, old: Resolved, new: Resolved, name: str) -> Iterator[Message]:
        before, after = _variants(old), _variants(new)
        if before is None or after is None:
            return
        for tag in sorted(set(before) - set(after) if self._is_sent else set(after) - set(before)):
            told = f"callers send the {name} {tag}: take it"
            yield new.pointer, told if self._is_sent else f"callers know no {name} {tag}"
        for tag in sorted(set(before) & set(after)):
            yield from self.messages(before[tag], after[tag], tag)


def _node(schema: Resolved) -> dict[str, Any]:
    return schema.node if isinstance(schema.node, dict) else {}


def _widened(kinds: set[str]) -> set[str]:
    return kinds | {"integer"} if "number" in kinds else kinds


def _values(schema: Resolved) -> list[Any] | None:
    """Return the values that are allowed; None: any."""
    node = _node(schema)
    if "enum" in node:
        return list(node["enum"])
    return [node["const"]] if "const" in node else None


def _variants(schema: Resolved) -> dict[str, str] | None:
    """Return tag → pointer of each variant: by the discriminator, else by position; None where there is no choice."""
    node = _node(schema)
    mapping = node.get("discriminator", {}).get("mapping")
    if mapping is not None:
        return {tag: ref.lstrip("#") for tag, ref in mapping.items()}
    keyword = next((word for word in ("oneOf", "anyOf") if word in node), None)
    if keyword is None:
        return None
    return {f"variant {index}": f"{schema.pointer}/{keyword}/{index}" for index in range(len(node[keyword]))}
