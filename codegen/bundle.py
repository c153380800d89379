"""Joins the files of a contract into one document in which every node keeps its origin.

A `$ref` to another file becomes a `$ref` to a component; the component's name is `<folder>.<Name>`, so
`schemas/chat/messages.yaml#/Message` is `chat.Message` and `shared/problems.yaml#/Problem` is `shared.Problem`.
Where two nodes would get one name, each takes more of its path (`responses.api.Conflict`), so a name never depends
on the order of files. Components of the entry file keep their names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from codegen import grammar
from codegen.findings import Finding, Location, Refused
from codegen.load import Address, Sources
from codegen.locate import Json, escape, unescape

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class Target(NamedTuple):
    """A node that is referred to, and as what."""

    kind: str
    address: Address


@dataclass(frozen=True)
class Bundle:
    """One document without references to files.

    kinds: pointer of every node that the grammar knows → its kind.
    origins: pointer → address in the sources, for every node down to single keywords.
    """

    document: Json
    sources: Sources
    kinds: dict[str, str] = field(repr=False)
    origins: dict[str, Address] = field(repr=False)
    _found: dict[str, Json] = field(init=False, repr=False, compare=False)
    """Nodes by their pointers: every rule asks for the same ones again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_found", {"": self.document})

    def address(self, pointer: str) -> Address:
        """Return where a node of the bundle was written; data inside a keyword resolves through the keyword."""
        rest = ""
        while pointer not in self.origins:
            pointer, _, token = pointer.rpartition("/")
            rest = f"/{token}{rest}"
        base = self.origins[pointer]
        return Address(base.file, base.pointer + rest)

    def locate(self, pointer: str) -> Location:
        """Return file, line and column of a node of the bundle."""
        return self.sources.locate(self.address(pointer))

    def get(self, pointer: str) -> Json:
        """Return the node at `pointer` (with or without a leading '#'), references not followed.

        Raises:
            KeyError: there is none.
        """
        pointer = pointer.lstrip("#")
        if pointer not in self._found:
            parent, _, token = pointer.rpartition("/")
            node = self.get(parent)
            try:
                self._found[pointer] = node[int(token)] if isinstance(node, list) else node[unescape(token)]
            except (IndexError, TypeError, ValueError) as error:
                raise KeyError(pointer) from error
        return self._found[pointer]

    def follow(self, pointer: str) -> tuple[str, Json]:
        """Return pointer and node behind any chain of references that starts at `pointer`.

        Raises:
            Refused: the chain closes on itself.
        """
        seen: set[str] = set()
        node = self.get(pointer)
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if pointer in seen:
                raise Refused([Finding("refs", self.locate(pointer), "break the circle: this $ref leads to itself")])
            seen.add(pointer)
            pointer = node["$ref"].lstrip("#")
            node = self.get(pointer)
        return pointer, node


def bundle(sources: Sources) -> Bundle:
    """Join the contract that starts at `sources.entry`.

    Raises:
        Refused: a reference does not resolve, or a file cannot be read.
    """
    root = sources.file(sources.entry)
    if not isinstance(root.data, dict):
        raise Refused([Finding("yaml", root.locate(""), "write an OpenAPI document: a mapping with `openapi`")])
    names = _names(_targets(sources), sources.entry)
    builder = _Builder(sources, names)
    document = builder.node("root", Address(sources.entry, ""), "")
    for target, name in sorted(names.items(), key=lambda item: (item[0].kind, item[1])):
        section = grammar.SECTIONS[target.kind]
        place = document.setdefault("components", {}).setdefault(section, {})
        if name not in place:
            place[name] = builder.node(target.kind, target.address, f"/components/{section}/{escape(name)}")
    return Bundle(document, sources, builder.kinds, builder.origins)


class _Builder:
    """Walks sources by the grammar; with `names` it builds the bundle, without them it only collects targets."""

    def __init__(self, sources: Sources, names: dict[Target, str] | None) -> None:
        self._sources = sources
        self._names = names
        self._copying: list[Target] = []
        self.found: dict[Target, None] = {}
        self.kinds: dict[str, str] = {"": "root"}
        self.origins: dict[str, Address] = {"": Address(sources.entry, "")}

    def node(self, kind: str, at: Address, out: str) -> Json:
        """Return the bundled form of the object of `kind` at `at`, to stand at `out`."""
        return self._node(kind, at, self._sources.get(at), out)

    def _node(self, kind: str, at: Address, value: Json, out: str) -> Json:
        self.kinds[out], self.origins[out] = kind, at
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return self._reference(kind, at, value, out)
        if kind == "discriminator":
            return self._discriminator(at, value, out)
        return {
            name: self._field(grammar.slot(kind, name), Address(at.file, f"{at.pointer}/{escape(name)}"), child, out)
            for name, child in value.items()
        }

    def _reference(self, kind: str, at: Address, value: dict[str, Json], out: str) -> Json:
        target = Target(kind, self._sources.resolve(value["$ref"], at))
        if kind not in grammar.SECTIONS:
            return self._copy(target, at, value, out)
        self.origins[f"{out}/$ref"] = Address(at.file, f"{at.pointer}/$ref")
        result: dict[str, Json] = {"$ref": self._component(target)}
        for name, child in value.items():
            if name != "$ref":
                address = Address(at.file, f"{at.pointer}/{escape(name)}")
                result[name] = self._field(grammar.slot(kind, name), address, child, out)
        return result

    def _copy(self, target: Target, at: Address, value: dict[str, Json], out: str) -> Json:
        if len(value) > 1:
            location = self._sources.locate(at)
            raise Refused([Finding("refs", location, f"move what stands beside $ref into the {target.kind} it names")])
        if target in self._copying:
            raise Refused(
                [Finding("refs", self._sources.locate(at), f"break the circle: this {target.kind} contains itself")]
            )
        self._copying.append(target)
        result = self.node(target.kind, target.address, out)
        self._copying.pop()
        return result

    def _field(self, slot: grammar.Slot | None, at: Address, value: Json, parent: str) -> Json:
        out = f"{parent}/{at.pointer.rpartition('/')[2]}"
        self.origins[out] = at
        if slot is None or slot.form == "data":
            return value
        if slot.form == "one":
            return self._node(slot.kind, at, value, out)
        if slot.form == "list" and isinstance(value, list):
            return [
                self._node(slot.kind, Address(at.file, f"{at.pointer}/{index}"), child, f"{out}/{index}")
                for index, child in enumerate(value)
            ]
        if slot.form == "map" and isinstance(value, dict):
            return self._map(slot.kind, at, value, out)
        return value

    def _map(self, kind: str, at: Address, value: dict[str, Json], out: str) -> Json:
        if isinstance(value.get("$ref"), str) and len(value) == 1:
            at = self._sources.resolve(value["$ref"], at)
            value = self._sources.get(at)
        return {
            name: self._node(kind, Address(at.file, f"{at.pointer}/{escape(name)}"), child, f"{out}/{escape(name)}")
            for name, child in value.items()
        }

    def _discriminator(self, at: Address, value: dict[str, Json], out: str) -> Json:
        for name in value:
            self.origins[f"{out}/{escape(name)}"] = Address(at.file, f"{at.pointer}/{escape(name)}")
        mapping = value.get("mapping")
        if not isinstance(mapping, dict):
            return value
        return {**value, "mapping": {tag: self._mapped(at, ref) for tag, ref in mapping.items()}}

    def _mapped(self, at: Address, ref: Json) -> Json:
        if not isinstance(ref, str):
            return ref
        named = Address(self._sources.entry, f"/components/schemas/{escape(ref)}")
        root = self._sources.file(self._sources.entry)
        target = named if named.pointer in root.marks else self._sources.resolve(ref, at)
        return self._component(Target("schema", target))

    def _component(self, target: Target) -> str:
        self.found[target] = None
        name = self._names[target] if self._names is not None else "?"
        return f"#/components/{grammar.SECTIONS[target.kind]}/{escape(name)}"


def _targets(sources: Sources) -> dict[Target, None]:
    """Return every node that the contract refers to, each once, found breadth first."""
    collector = _Builder(sources, None)
    collector.node("root", Address(sources.entry, ""), "")
    queue = list(collector.found)
    for target in queue:
        known = len(collector.found)
        collector.node(target.kind, target.address, "")
        queue.extend(list(collector.found)[known:])
    return collector.found


def _names(targets: Iterable[Target], entry: str) -> dict[Target, str]:
    """Give each target a component name that no other target of its section has."""
    names: dict[Target, str] = {}
    waiting: dict[Target, list[str]] = {}
    for target in targets:
        section = grammar.SECTIONS[target.kind]
        head, _, own = target.address.pointer.rpartition("/")
        if target.address.file == entry and head == f"/components/{section}":
            names[target] = unescape(own)
        else:
            waiting[target] = _path(target.address)
    length = 2
    while waiting:
        groups: dict[tuple[str, str], list[Target]] = defaultdict(list)
        for target, path in waiting.items():
            groups[target.kind, ".".join(path[-length:])].append(target)
        taken = {(target.kind, name) for target, name in names.items()}
        for (kind, name), group in groups.items():
            if (len(group) == 1 and (kind, name) not in taken) or length > 64:
                for number, target in enumerate(sorted(group)):
                    names[target] = name if number == 0 else f"{name}.{number + 1}"
                    del waiting[target]
        length += 1
    return names


def _path(address: Address) -> list[str]:
    """Return the words a name is made of, the most telling last: folders, then the pointer's tokens."""
    *folders, stem = [part for part in address.file.rpartition(".")[0].split("/") if part not in {"", ".", ".."}]
    tokens = [unescape(token) for token in address.pointer.split("/")[1:]]
    words = [stem, *folders, "_".join(tokens)] if tokens else [*folders, stem]
    return [_NOT_IN_NAMES.sub("_", word).strip("_") or "_" for word in words]
